/* The ring buffer against a model: random reads and writes of a known sequence, for every small
 * size. */
#include <stdlib.h>

#include "base/buf.h"
#include "check.h"

static unsigned buf_test_state = 1;

static size_t
buf_test_random(size_t most)
{
	buf_test_state = buf_test_state * 1664525u + 1013904223u;
	return most == 0 ? 0 : (buf_test_state >> 8) % (most + 1);
}

/* Stores the next n bytes of the sequence; byte i is i. */
static void
buf_test_put(struct buf *buf, size_t n, size_t *put)
{
	struct iovec pieces[2];
	int count = buf_space(buf, pieces);
	size_t room = 0, done = 0;
	for (int i = 0; i < count; i++)
		room += pieces[i].iov_len;
	CHECK(room == buf_room(buf));
	for (int i = 0; i < count; i++)
		for (size_t j = 0; j < pieces[i].iov_len && done < n; j++, done++)
			((unsigned char *)pieces[i].iov_base)[j] = (unsigned char)(*put + done);
	buf_added(buf, n);
	*put += n;
}

static void
buf_test_take(struct buf *buf, size_t n, size_t *taken)
{
	struct iovec pieces[2];
	int count = buf_bytes(buf, pieces);
	size_t used = 0;
	for (int i = 0; i < count; i++)
		for (size_t j = 0; j < pieces[i].iov_len; j++, used++)
			CHECK(((unsigned char *)pieces[i].iov_base)[j] ==
				(unsigned char)(*taken + used));
	CHECK(used == buf_used(buf));
	buf_taken(buf, n);
	*taken += n;
}

int
main(void)
{
	for (size_t size = 1; size <= 17; size++) {
		struct buf buf;
		size_t put = 0, taken = 0;
		CHECK(buf_open(&buf, size));
		for (unsigned turn = 0; turn < 2000; turn++) {
			buf_test_put(&buf, buf_test_random(buf_room(&buf)), &put);
			CHECK(buf_used(&buf) == put - taken &&
				buf_room(&buf) == size - (put - taken));
			buf_test_take(&buf, buf_test_random(buf_used(&buf)), &taken);
		}
		buf_test_take(&buf, buf_used(&buf), &taken);
		CHECK(buf.head == 0);
		struct iovec pieces[2];
		CHECK(buf_space(&buf, pieces) == 1 && pieces[0].iov_len == size);
		CHECK(buf_bytes(&buf, pieces) == 0);
		buf_close(&buf);
		buf_close(&buf);
	}
	return check_verdict("buf");
}
