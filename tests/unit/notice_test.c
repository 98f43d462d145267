/* The hint that a peer has sent nothing after the half-close: after each order of the two ends, and
 * of the data of the peer. */
#include "engine/notice.h"

#include "base/event.h"
#include "check.h"
#include "engine/service.h"
#include "net/transport.h"

static unsigned notice_test_hints;

void __wrap_event_emit(const struct event *event);

void
__wrap_event_emit(const struct event *event)
{
	notice_test_hints += event->kind == EVENT_reply_missing;
}

/* The turns in which something happens; 0: never. */
static const struct notice_test_row {
	const char *name;
	int end, peer_end; /* of standard input, of the peer */
	int data;          /* the peer sends a byte */
	unsigned hints;
} notice_test_rows[] = {
	{ "the peer ends later", 2, 3, 0, 1 },
	{ "the peer ends in the same turn", 2, 2, 0, 1 },
	{ "the peer has ended before", 2, 1, 0, 0 },
	{ "the peer goes on", 2, 0, 0, 0 },
	{ "an answer", 2, 4, 3, 0 },
	{ "data before only", 2, 4, 1, 1 },
	{ "data before only, and the end in the same turn", 2, 2, 1, 1 },
	{ "all in one turn: the data may be the answer", 2, 2, 2, 0 },
};

static void
notice_test_run(const struct notice_test_row *row)
{
	const struct transport *transport = transport_find(TRANSPORT_INET, false, false, -1);
	const struct config config = { .service = &service_stdio, .transport = transport };
	char name[] = "peer";
	struct stream peer = { .name = name };
	struct relay relay = { .out = { .sink = &peer, .half_close = true, .read = 1 },
		.in = { .source = &peer } };
	struct notice notice;
	notice_test_hints = 0;
	notice_open(&notice, &config, true);
	for (int turn = 1; turn < 6; turn++) {
		relay.in.read += turn == row->data;
		if (turn == row->end) {
			relay.out.eof = true;
			relay.out.state = FLOW_SHUTTING;
			relay.out.ended_at = turn;
		}
		if (turn == row->peer_end) {
			relay.in.eof = true;
			relay.in.ended_at = turn;
		}
		notice_step(&notice, &relay, turn);
	}
	notice_close(&notice, &relay);
	if (notice_test_hints != row->hints)
		(void)fprintf(stderr, "%s: %u\n", row->name, notice_test_hints);
	CHECK(notice_test_hints == row->hints);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof notice_test_rows / sizeof notice_test_rows[0]; i++)
		notice_test_run(&notice_test_rows[i]);
	return check_verdict("notice");
}
