/*
 * A bounded ring of bytes. Reads are sized by buf_room, writes by buf_used.
 *
 * Invariants: len <= size; head < size; len == 0 => head == 0 (the space of an empty ring is
 * contiguous); the bytes are data[head], data[head + 1] and so on, modulo size.
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

/* Allocates a ring of size > 0 bytes; false if out of memory (the ring is then empty). */
bool buf_open(struct buf *buf, size_t size);

/* Frees the ring; a zeroed struct is allowed. */
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

/* The free space, buf_room() bytes. Returns the number of pieces: 0, 1 or 2. */
int buf_space(const struct buf *buf, struct iovec pieces[static 2]);

/* Adds n bytes that were stored in the free space; aborts if n > buf_room(). */
void buf_added(struct buf *buf, size_t n);

/* The buffered bytes, oldest first. Returns the number of pieces: 0, 1 or 2. */
int buf_bytes(const struct buf *buf, struct iovec pieces[static 2]);

/* Removes the n oldest bytes; aborts if n > buf_used(). */
void buf_taken(struct buf *buf, size_t n);

#endif
