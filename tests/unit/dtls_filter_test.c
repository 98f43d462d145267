/*
 * The DTLS filter, by a library whose records are datagrams of text: "h" ends the handshake, "d"
 * and what follows is a message, "e" is close_notify, "f" a failure, and anything else is ignored.
 * The stream below has batches of datagrams, and takes what the test says.
 */
#include "filter/dtls_filter.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"

#define DTLS_TEST_FD 1000
#define DTLS_TEST_BATCH 70

static struct {
	/* the stream below */
	const char *arrives[2 * DTLS_TEST_BATCH]; /* datagrams; an empty one ends a batch */
	size_t next, count;
	struct iovec batch[DTLS_TEST_BATCH];
	bool full, refuses, ends;
	char sent[8][16];
	size_t sents;
	/* the library */
	struct tls_bottom bottom;
	int64_t timer; /* -1: none */
	unsigned made, freed, retransmitted;
	size_t datagram_max;
	bool established, closed, notified;
} dtls_test;

static enum io
dtls_test_below_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	unsigned char *at = pieces->iov_base;
	size_t n = 0;
	(void)count;
	*got = 0;
	if (dtls_test.refuses)
		return IO_FAULT(fault, STATUS_CONNECT, ECONNREFUSED, "connect");
	while (dtls_test.next < dtls_test.count && n < DTLS_TEST_BATCH) {
		const char *text = dtls_test.arrives[dtls_test.next++];
		if (text == NULL)
			break;
		size_t length = strlen(text);
		memcpy(at + *got, text, length);
		dtls_test.batch[n++] = (struct iovec){ at + *got, length };
		*got += length;
	}
	stream->loan = (struct stream_loan){ .messages = dtls_test.batch, .count = n };
	return n > 0 ? IO_OK : dtls_test.ends ? IO_END : IO_AGAIN;
}

static enum io
dtls_test_below_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	(void)stream, (void)fault;
	CHECK(count == 1 && pieces->iov_len < sizeof dtls_test.sent[0]);
	if (dtls_test.full)
		return IO_AGAIN;
	memcpy(dtls_test.sent[dtls_test.sents], pieces->iov_base, pieces->iov_len);
	dtls_test.sent[dtls_test.sents++][pieces->iov_len] = '\0';
	*put = 1;
	return IO_OK;
}

static void
dtls_test_below_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops dtls_test_below = {
	.read = dtls_test_below_read,
	.write = dtls_test_below_write,
	.close = dtls_test_below_close,
};

/* --- the library --- */

static void *
dtls_test_session_new(void *context, const struct tls_bottom *bottom, const char *peer,
	const char *name, struct fault *fault)
{
	(void)context, (void)peer, (void)name, (void)fault;
	dtls_test.made++;
	dtls_test.bottom = *bottom;
	return &dtls_test;
}

static void
dtls_test_set_bottom(void *session, const struct tls_bottom *bottom, const char *peer)
{
	CHECK(session == &dtls_test && strcmp(peer, "below") == 0);
	dtls_test.bottom = *bottom;
}

static void
dtls_test_session_free(void *session)
{
	CHECK(session == &dtls_test);
	dtls_test.freed++;
}

/* The next record that is one, in `text`. */
static enum io
dtls_test_next(char *text, size_t size)
{
	for (;;) {
		size_t got = 0;
		enum io result =
			dtls_test.bottom.read(dtls_test.bottom.stream, text, size - 1, &got);
		if (result != IO_OK)
			return result == IO_END ? IO_FAIL : result;
		CHECK(got > 0);
		text[got] = '\0';
		if (strchr("hdef", text[0]) != NULL)
			return IO_OK;
	}
}

static enum io
dtls_test_put(const char *text, size_t size)
{
	size_t put = 0;
	enum io result = dtls_test.bottom.write(dtls_test.bottom.stream, text, size, &put);
	CHECK(result != IO_OK || put == size);
	return result;
}

static enum io
dtls_test_handshake(void *session, struct fault *fault)
{
	char text[64];
	(void)session, (void)fault;
	if (!dtls_test.established && dtls_test.sents == 0 && dtls_test_put("hello", 5) == IO_FAIL)
		return IO_FAIL;
	enum io result = dtls_test_next(text, sizeof text);
	dtls_test.established |= result == IO_OK && text[0] == 'h';
	return result;
}

static enum io
dtls_test_read(void *session, void *bytes, size_t size, size_t *got, struct fault *fault)
{
	char text[64];
	(void)session;
	CHECK(size >= TLS_MESSAGE_MAX);
	if (dtls_test.closed)
		return IO_END;
	enum io result = dtls_test_next(text, sizeof text);
	if (result != IO_OK)
		return result;
	if (text[0] == 'f')
		return IO_FAULT(fault, STATUS_RECEIVE, 0, "receive");
	dtls_test.closed = text[0] == 'e';
	*got = strlen(text) - 1;
	memcpy(bytes, text + 1, *got);
	return dtls_test.closed ? IO_END : IO_OK;
}

static enum io
dtls_test_write(void *session, const void *bytes, size_t size, size_t *put, struct fault *fault)
{
	(void)session, (void)fault;
	*put = size;
	return dtls_test_put(bytes, size);
}

static enum io
dtls_test_shut(void *session, struct fault *fault)
{
	(void)session, (void)fault;
	dtls_test.notified = true;
	return IO_OK;
}

static bool
dtls_test_pending(void *session)
{
	(void)session;
	return false;
}

static void
dtls_test_describe(void *session, struct tls_facts *facts)
{
	(void)session;
	*facts = (struct tls_facts){ .version = "DTLSv1.2", .cipher = "cipher" };
}

static bool
dtls_test_timer(void *session, int64_t *span)
{
	(void)session;
	*span = dtls_test.timer;
	return dtls_test.timer >= 0;
}

static enum io
dtls_test_retransmit(void *session, struct fault *fault)
{
	(void)session, (void)fault;
	dtls_test.retransmitted += dtls_test.timer == 0;
	return IO_OK;
}

static void
dtls_test_set_datagram_max(void *session, size_t size)
{
	(void)session;
	dtls_test.datagram_max = size;
}

static size_t
dtls_test_message_max(void *session)
{
	(void)session;
	CHECK(dtls_test.established);
	return 10;
}

static const struct tls_ops dtls_test_ops = {
	.session_new = dtls_test_session_new,
	.session_free = dtls_test_session_free,
	.handshake = dtls_test_handshake,
	.describe = dtls_test_describe,
	.read = dtls_test_read,
	.pending = dtls_test_pending,
	.write = dtls_test_write,
	.shut = dtls_test_shut,
	.set_bottom = dtls_test_set_bottom,
	.timer = dtls_test_timer,
	.retransmit = dtls_test_retransmit,
	.set_datagram_max = dtls_test_set_datagram_max,
	.message_max = dtls_test_message_max,
};

static struct tls dtls_test_tls = { .ops = &dtls_test_ops, .settings = { .datagrams = true } };
static struct tls_filter_config dtls_test_config = { .tls = &dtls_test_tls, .limit = CLOCK_SECOND };

/* --- the tests --- */

static struct stream *
dtls_test_begin(void *session)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = stream_new(&dtls_test_below, strdup("below"), 0, &fault);
	memset(&dtls_test, 0, sizeof dtls_test);
	dtls_test.timer = -1;
	stream->read.fd = stream->write.fd = DTLS_TEST_FD;
	stream->caps.messages = true;
	stream->caps.message_max = 65507;
	CHECK(dtls_filter_add(&stream, &dtls_test_config, session, &fault));
	return stream;
}

/* A datagram that arrives; NULL: the end of a batch. */
static void
dtls_test_arrive(const char *text)
{
	dtls_test.arrives[dtls_test.count++] = text;
}

static struct stream *
dtls_test_open(void)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = dtls_test_begin(NULL);
	dtls_test_arrive("h");
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_OK);
	return stream;
}

static void
dtls_test_end(struct stream *stream, bool clean)
{
	bool opened = stream->opened;
	stream_close(stream, clean);
	CHECK(dtls_test.notified == (clean && opened) && dtls_test.freed == 1);
}

static unsigned char dtls_test_space[4 * TLS_MESSAGE_MAX];

static enum io
dtls_test_get(struct stream *stream, size_t size, size_t *got, struct fault *fault)
{
	struct iovec piece = { dtls_test_space, size };
	return stream_read(stream, &piece, 1, got, fault);
}

static enum io
dtls_test_say(struct stream *stream, const char *text, struct fault *fault)
{
	struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };
	size_t put = 0;
	enum io result = stream_write(stream, &piece, 1, &put, fault);
	CHECK(put == (result == IO_OK));
	return result;
}

/* The handshake waits until its limit, and for the library's retransmission. */
static void
dtls_test_handshakes(void)
{
	struct fault fault = FAULT_NONE;
	struct pollset pollset = { .count = 0 };
	struct stream *stream = dtls_test_begin(NULL);
	dtls_test.timer = CLOCK_MILLISECOND;
	dtls_test.full = true;
	/* What is not sent is lost, and no failure. */
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_AGAIN && dtls_test.made == 1);
	CHECK(dtls_test.datagram_max == 1400 - 48 && dtls_test.retransmitted == 0);
	pollset_begin(&pollset);
	stream_ask_open(stream, &pollset);
	CHECK(pollset.deadline == 1 + CLOCK_MILLISECOND);
	dtls_test.timer = 0;
	dtls_test_arrive("noise");
	CHECK(stream_open(stream, NULL, 2, &fault) == IO_AGAIN && dtls_test.retransmitted == 1);
	CHECK(stream_open(stream, NULL, 1 + CLOCK_SECOND, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_TIMEOUT);
	fault_clear(&fault);
	dtls_test_end(stream, true);
	pollset_close(&pollset);

	stream = dtls_test_begin(NULL);
	dtls_test.refuses = true;
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_FAIL && fault.status == STATUS_CONNECT);
	fault_clear(&fault);
	dtls_test_end(stream, false);
}

/* A handshake may have to be over before its own limit, as connecting has taken some of the time.
 */
static void
dtls_test_deadline(void)
{
	struct fault fault = FAULT_NONE;
	struct pollset pollset = { .count = 0 };
	dtls_test_config.by = CLOCK_SECOND / 2;
	struct stream *stream = dtls_test_begin(NULL);
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_AGAIN);
	pollset_begin(&pollset);
	stream_ask_open(stream, &pollset);
	CHECK(pollset.deadline == CLOCK_SECOND / 2);
	CHECK(stream_open(stream, NULL, CLOCK_SECOND / 2, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_TIMEOUT && strstr(fault.text, "TLS handshake") != NULL);
	fault_clear(&fault);
	dtls_test_end(stream, false);
	pollset_close(&pollset);
	dtls_test_config.by = 0;
}

/* A session that has begun is taken. */
static void
dtls_test_taken(void)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = dtls_test_begin(&dtls_test);
	dtls_test_end(stream, true);

	stream = dtls_test_begin(&dtls_test);
	dtls_test_arrive("h");
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_OK && dtls_test.made == 0);
	dtls_test_end(stream, true);
}

/* All messages of a batch, in order; what is none is left out. */
static void
dtls_test_messages(void)
{
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	struct stream *stream = dtls_test_open();
	CHECK(stream->ready && stream->caps.message_max == 10);
	const char *arrives[] = { "done", "noise", "", "dtwo", "d", "dthree" };
	for (size_t i = 0; i < sizeof arrives / sizeof arrives[0]; i++)
		dtls_test_arrive(arrives[i]);
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_OK);
	CHECK(got == 11 && stream->loan.count == 4 &&
		memcmp(dtls_test_space, "onetwothree", 11) == 0);
	CHECK(stream->loan.messages[0].iov_len == 3 && stream->loan.messages[2].iov_len == 0);
	CHECK(stream->loan.messages[3].iov_base == dtls_test_space + 6 && !stream->ready);

	/* Nothing but noise: there may be more after it, which a read that drains gets, too. */
	dtls_test_arrive("noise");
	dtls_test_arrive(NULL);
	dtls_test_arrive("dmore");
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_AGAIN);
	CHECK(stream->read.at == STREAM_NOW);
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_OK && got == 4);
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_AGAIN);
	CHECK(stream->read.at == 0);

	/* More than the space, or one read, has room for stays. */
	for (size_t i = 0; i < DTLS_TEST_BATCH; i++)
		dtls_test_arrive("dx");
	CHECK(dtls_test_get(stream, 16, &got, &fault) == IO_AGAIN);
	CHECK(stream->loan.needs == TLS_MESSAGE_MAX);
	CHECK(dtls_test_get(stream, TLS_MESSAGE_MAX, &got, &fault) == IO_OK && got == 1);
	CHECK(stream->ready);
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_OK && got == 64);
	CHECK(stream->ready);
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_OK && got == 5);
	dtls_test_end(stream, true);
}

/* A message is a datagram; one that the stream below does not take now is written later. */
static void
dtls_test_writes(void)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = dtls_test_open();
	CHECK(dtls_test_say(stream, "one", &fault) == IO_OK);
	CHECK(dtls_test.sents == 2 && strcmp(dtls_test.sent[1], "one") == 0);
	dtls_test.full = true;
	CHECK(dtls_test_say(stream, "two", &fault) == IO_AGAIN && dtls_test.sents == 2);
	dtls_test.full = false;
	CHECK(dtls_test_say(stream, "two", &fault) == IO_OK && dtls_test.sents == 3);
	CHECK(stream_look(stream, &fault) == IO_OK);
	static const char *const refused[] = { "", "12345678901" };
	for (size_t i = 0; i < 2; i++) {
		CHECK(dtls_test_say(stream, refused[i], &fault) == IO_FAIL);
		CHECK(fault.status == STATUS_FRAMING);
		fault_clear(&fault);
	}
	CHECK(dtls_test.sents == 3);
	dtls_test_end(stream, false);
}

/* What was received before the end, or a failure, comes first; the end is read again and again. */
static void
dtls_test_ends(void)
{
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	struct stream *stream = dtls_test_open();
	dtls_test_arrive("dlast");
	dtls_test_arrive("e");
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_OK && got == 4);
	CHECK(stream->ready);
	for (int i = 0; i < 2; i++)
		CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_END);
	CHECK(dtls_test_say(stream, "late", &fault) == IO_FAIL && fault.status == STATUS_SEND);
	fault_clear(&fault);
	dtls_test_end(stream, true);

	stream = dtls_test_open();
	dtls_test_arrive("dlast");
	dtls_test_arrive("f");
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_OK && got == 4);
	CHECK(stream->ready && !fault_is_set(&fault));
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_RECEIVE);
	fault_clear(&fault);
	dtls_test_end(stream, false);

	stream = dtls_test_open();
	dtls_test.refuses = true;
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_CONNECT);
	fault_clear(&fault);
	dtls_test_end(stream, false);

	/* A listener ends the streams of its peers. */
	stream = dtls_test_open();
	dtls_test.ends = true;
	CHECK(dtls_test_get(stream, sizeof dtls_test_space, &got, &fault) == IO_END);
	dtls_test_end(stream, true);
}

int
main(void)
{
	dtls_test_handshakes();
	dtls_test_deadline();
	dtls_test_taken();
	dtls_test_messages();
	dtls_test_writes();
	dtls_test_ends();
	return check_verdict("dtls_filter");
}
