/* Subscribers that write messages to a bus whose clients cannot be sent empty ones. */
#include <stdlib.h>
#include <string.h>

#include "broadcast/subscriber.h"
#include "check.h"

/* One subscriber writes three messages, of which the second is empty; another one reads. */
static void
subscriber_test(bool no_empty, bool publisher)
{
	struct bus bus = { .limit = 65536, .no_empty = no_empty };
	struct bus_queue from = { .bus = NULL }, to = { .bus = NULL };
	struct fault fault = FAULT_NONE;
	char text[] = "ab";
	struct iovec pieces[] = { { text, 1 }, { text, 0 }, { text + 1, 1 } };
	struct stream *writer = subscriber_new(&bus, &from, 100, publisher, &fault);
	struct stream *reader = subscriber_new(&bus, &to, 100, false, &fault);
	size_t put = 0;
	CHECK(writer != NULL && reader != NULL);
	if (writer == NULL || reader == NULL)
		exit(1);
	CHECK(stream_write(writer, pieces, 3, &put, &fault) == IO_OK);
	CHECK(put == (no_empty ? 1 : 3));
	CHECK(to.chunks.count == put);
	if (no_empty) {
		CHECK(stream_write(writer, pieces + 1, 2, &put, &fault) == IO_FAIL);
		CHECK(put == 0 && fault.status == STATUS_FRAMING);
		CHECK(fault.text != NULL && strstr(fault.text, "an empty message") != NULL);
		CHECK(to.chunks.count == 1);
		fault_clear(&fault);
	}
	CHECK(stream_write(writer, NULL, 0, &put, &fault) == IO_OK);
	stream_close(writer, true);
	stream_close(reader, true);
}

int
main(void)
{
	for (int i = 0; i < 4; i++)
		subscriber_test((i & 1) != 0, (i & 2) != 0);
	return check_verdict("subscriber");
}
