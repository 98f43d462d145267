/* Datagrams that are stored to be sent again. */
#include "stream/unanswered.h"

#include <stdint.h>
#include <string.h>

#include "check.h"

static struct iovec
unanswered_test_piece(const char *text, size_t length)
{
	return (struct iovec){ (void *)(uintptr_t)text, length };
}

/* The order, the lengths and the empty message are kept, however often they are returned. */
static void
unanswered_test_order(void)
{
	static const char *const texts[] = { "one", "", "three" };
	struct unanswered unanswered = { .bytes = NULL };
	struct iovec pieces[3], message;
	for (size_t i = 0; i < 3; i++)
		pieces[i] = unanswered_test_piece(texts[i], strlen(texts[i]));
	unanswered_keep(&unanswered, pieces, 2);
	unanswered_keep(&unanswered, pieces + 2, 1);
	CHECK(!unanswered_next(&unanswered, &message));
	for (int turn = 0; turn < 2; turn++) {
		unanswered_rewind(&unanswered);
		for (size_t i = 0; i < 3; i++) {
			CHECK(unanswered_next(&unanswered, &message));
			CHECK(message.iov_len == strlen(texts[i]));
			CHECK(memcmp(message.iov_base, texts[i], message.iov_len) == 0);
			unanswered_advance(&unanswered);
		}
		CHECK(!unanswered_next(&unanswered, &message));
	}
	unanswered_drop(&unanswered);
}

/* 64 KiB fit; one byte more does not, and nothing is stored. */
static void
unanswered_test_limit(void)
{
	static char bytes[UNANSWERED_MAX];
	struct unanswered unanswered = { .bytes = NULL };
	struct iovec all = unanswered_test_piece(bytes, sizeof bytes);
	struct iovec one = unanswered_test_piece("x", 1), message;
	unanswered_keep(&unanswered, &all, 1);
	CHECK(!unanswered.incomplete);
	unanswered_keep(&unanswered, &one, 1);
	CHECK(unanswered.incomplete);
	unanswered_rewind(&unanswered);
	CHECK(!unanswered_next(&unanswered, &message));
	unanswered_keep(&unanswered, &one, 1);
	CHECK(!unanswered_next(&unanswered, &message));
	unanswered_drop(&unanswered);
}

/* The number of empty messages is limited. */
static void
unanswered_test_empty(void)
{
	struct unanswered unanswered = { .bytes = NULL };
	struct iovec empty = { NULL, 0 };
	for (size_t i = 0; i < UNANSWERED_MAX && !unanswered.incomplete; i++)
		unanswered_keep(&unanswered, &empty, 1);
	CHECK(unanswered.incomplete);
	unanswered_drop(&unanswered);
}

int
main(void)
{
	unanswered_test_order();
	unanswered_test_limit();
	unanswered_test_empty();
	return check_verdict("unanswered");
}
