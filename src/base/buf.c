/* The bounded ring; see buf.h. */
#include "base/buf.h"

#include <stdlib.h>

bool
buf_open(struct buf *buf, size_t size)
{
	*buf = (struct buf){ malloc(size), size, 0, 0 };
	if (buf->data == NULL)
		buf->size = 0;
	return buf->data != NULL;
}

void
buf_close(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ NULL, 0, 0, 0 };
}

/* The run of n bytes that begins `from` bytes behind head, as one or two pieces. */
static int
buf_run(const struct buf *buf, size_t from, size_t n, struct iovec pieces[static 2])
{
	if (n == 0)
		return 0;
	size_t start = buf->head + from;
	if (start >= buf->size)
		start -= buf->size;
	size_t first = buf->size - start;
	if (first > n)
		first = n;
	pieces[0] = (struct iovec){ buf->data + start, first };
	if (first == n)
		return 1;
	pieces[1] = (struct iovec){ buf->data, n - first };
	return 2;
}

int
buf_space(const struct buf *buf, struct iovec pieces[static 2])
{
	return buf_run(buf, buf->len, buf_room(buf), pieces);
}

void
buf_added(struct buf *buf, size_t n)
{
	if (n > buf_room(buf))
		abort();
	buf->len += n;
}

int
buf_bytes(const struct buf *buf, struct iovec pieces[static 2])
{
	return buf_run(buf, 0, buf->len, pieces);
}

void
buf_taken(struct buf *buf, size_t n)
{
	if (n > buf->len)
		abort();
	buf->len -= n;
	buf->head += n;
	if (buf->head >= buf->size)
		buf->head -= buf->size;
	if (buf->len == 0)
		buf->head = 0;
}
