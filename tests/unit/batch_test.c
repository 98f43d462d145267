/* Separating the datagrams of one call. */
#include <string.h>

#include "check.h"
#include "stream/batch.h"

#define SLOT ((size_t)16)

/* Checks that the next datagram has these bytes and belongs to message `i`, as its `first` one or
 * not. */
static void
expect(struct batch *batch, size_t i, bool first, const char *bytes)
{
	struct batch_datagram datagram = { .message = NULL };
	CHECK(batch_is_pending(batch));
	CHECK(batch_next(batch, &datagram));
	CHECK(datagram.message == &batch->messages[i]);
	CHECK(datagram.first == first);
	CHECK(datagram.length == strlen(bytes));
	CHECK(datagram.bytes != NULL && memcmp(datagram.bytes, bytes, datagram.length) == 0);
}

int
main(void)
{
	unsigned char space[4 * SLOT];
	struct batch batch = { .space = space, .slot = SLOT, .count = 4 };
	struct batch_datagram none;

	memcpy(space, "abcdefgh", 8);
	memcpy(space + SLOT, "ABCDEF", 6);
	memcpy(space + 3 * SLOT, "xyz", 3);
	/* Joined, the last shorter; joined, all of one length; empty; single, and no longer than
	 * its segment. */
	batch.messages[0] = (struct sys_message){ .length = 8, .segment = 3 };
	batch.messages[1] = (struct sys_message){ .length = 6, .segment = 3 };
	batch.messages[2] = (struct sys_message){ .length = 0 };
	batch.messages[3] = (struct sys_message){ .length = 3, .segment = 3 };
	expect(&batch, 0, true, "abc");
	expect(&batch, 0, false, "def");
	expect(&batch, 0, false, "gh");
	expect(&batch, 1, true, "ABC");
	expect(&batch, 1, false, "DEF");
	expect(&batch, 2, true, "");
	expect(&batch, 3, true, "xyz");
	CHECK(!batch_is_pending(&batch));
	CHECK(!batch_next(&batch, &none));
	return check_verdict("batch");
}
