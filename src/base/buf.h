/*
 * A bounded ring of bytes in memory. `room` is the only source of a read size, `used` the only
 * source of a write size.
 *
 * Invariants: len <= size; head < size; len == 0 => head == 0 (so that an emptied ring gives one
 * whole piece again); the bytes are data[head], data[head + 1], … modulo size.
 */
#ifndef SOCKCAT_BASE_BUF_H
#define SOCKCAT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct buf {
	unsigned char *data; /* owned */
	size_t size, head, len;
};

/* Allocates a ring of size > 0 bytes; false if there is no memory (the ring is then empty). */
bool buf_open(struct buf *buf, size_t size);

/* Frees it; also good on a zeroed struct. */
void buf_close(struct buf *buf);

static inline size_t
buf_used(const struct buf *buf)
{
	return buf->len;
}

static inline size_t
buf_room(const struct buf *buf)
{
	return buf->size - buf->len;
}

/* Where a read of up to buf_room() bytes may land. Returns the number of pieces: 0, 1 or 2. */
int buf_space(const struct buf *buf, struct iovec pieces[static 2]);

/* n bytes have been put into the space. More than there was room aborts: memory was overwritten. */
void buf_added(struct buf *buf, size_t n);

/* What a write may take, oldest first. Returns the number of pieces: 0, 1 or 2. */
int buf_bytes(const struct buf *buf, struct iovec pieces[static 2]);

/* n bytes have been taken off the front. More than were there aborts: data was invented. */
void buf_taken(struct buf *buf, size_t n);

#endif
