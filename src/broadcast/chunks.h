/* A queue of chunks of bytes. A chunk is stored once, and counts the queues that have it. */
#ifndef SOCKCAT_BROADCAST_CHUNKS_H
#define SOCKCAT_BROADCAST_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* The weight of a chunk besides its bytes, so that queues of empty messages are bounded. */
#define CHUNKS_COST 64

struct chunk {
	size_t references;
	size_t length;
	unsigned char bytes[];
};

/* Empty when zeroed. */
struct chunks {
	struct chunk **ring; /* owned; each has a reference of its chunk */
	size_t head, count, capacity;
	size_t offset; /* bytes taken of the first chunk */
	size_t bytes;  /* queued */
	size_t weight; /* of the chunks: their bytes and CHUNKS_COST each */
};

/* A chunk with one reference, or NULL. */
struct chunk *chunks_make(const struct iovec *pieces, int count);

void chunks_release(struct chunk *chunk);

/* Ensures that there is room for another chunk. False if memory runs out. */
bool chunks_reserve(struct chunks *chunks);

/* Adds a chunk, with a reference of its own; there is room. */
void chunks_add(struct chunks *chunks, struct chunk *chunk);

/* The queued data, oldest first: up to `max` pieces, one per chunk. Returns their number. */
int chunks_look(const struct chunks *chunks, struct iovec *pieces, int max);

/* Removes the first bytes or, if messages > 0, that many chunks, which have these bytes. */
void chunks_take(struct chunks *chunks, size_t bytes, size_t messages);

/* Removes and frees everything. */
void chunks_close(struct chunks *chunks);

#endif
