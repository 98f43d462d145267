/* A queue of chunks; see chunks.h. */
#include "broadcast/chunks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"

/* The largest ring that an empty queue keeps. */
#define CHUNKS_FEW 64

struct chunk *
chunks_make(const struct iovec *pieces, int count)
{
	size_t length = stream_total(pieces, count), done = 0;
	struct chunk *chunk = NULL;
	if (length <= SIZE_MAX - sizeof *chunk - CHUNKS_COST)
		chunk = malloc(sizeof *chunk + length);
	if (chunk == NULL)
		return NULL;
	*chunk = (struct chunk){ .references = 1, .length = length };
	for (int i = 0; i < count; i++) {
		if (pieces[i].iov_len > 0)
			memcpy(chunk->bytes + done, pieces[i].iov_base, pieces[i].iov_len);
		done += pieces[i].iov_len;
	}
	return chunk;
}

void
chunks_release(struct chunk *chunk)
{
	if (--chunk->references == 0)
		free(chunk);
}

bool
chunks_reserve(struct chunks *chunks)
{
	struct chunk **ring = NULL;
	size_t capacity = chunks->capacity == 0 ? 8 : chunks->capacity * 2;
	if (chunks->count < chunks->capacity)
		return true;
	if (capacity <= SIZE_MAX / sizeof(struct chunk *))
		ring = malloc(capacity * sizeof(struct chunk *));
	if (ring == NULL)
		return false;
	for (size_t i = 0; i < chunks->count; i++)
		ring[i] = chunks->ring[(chunks->head + i) % chunks->capacity];
	free(chunks->ring);
	chunks->ring = ring;
	chunks->capacity = capacity;
	chunks->head = 0;
	return true;
}

void
chunks_add(struct chunks *chunks, struct chunk *chunk)
{
	chunks->ring[(chunks->head + chunks->count++) % chunks->capacity] = chunk;
	chunks->bytes += chunk->length;
	chunks->weight += chunk->length + CHUNKS_COST;
	chunk->references++;
}

static void
chunks_remove_first(struct chunks *chunks)
{
	struct chunk *chunk = chunks->ring[chunks->head];
	chunks->head = (chunks->head + 1) % chunks->capacity;
	chunks->count--;
	chunks->weight -= chunk->length + CHUNKS_COST;
	chunks->offset = 0;
	chunks_release(chunk);
}

int
chunks_look(const struct chunks *chunks, struct iovec *pieces, int max)
{
	int count = 0;
	for (size_t i = 0; i < chunks->count && count < max; i++, count++) {
		struct chunk *chunk = chunks->ring[(chunks->head + i) % chunks->capacity];
		size_t from = i == 0 ? chunks->offset : 0;
		pieces[count] = (struct iovec){ chunk->bytes + from, chunk->length - from };
	}
	return count;
}

void
chunks_take(struct chunks *chunks, size_t bytes, size_t messages)
{
	size_t stay = messages > 0 ? chunks->count - messages : 0;
	chunks->bytes -= bytes;
	while (chunks->count > stay) {
		size_t left = chunks->ring[chunks->head]->length - chunks->offset;
		if (left > bytes) {
			chunks->offset += bytes;
			break;
		}
		bytes -= left;
		chunks_remove_first(chunks);
	}
	/* Do not keep the memory of a burst. */
	if (chunks->count == 0 && chunks->capacity > CHUNKS_FEW)
		chunks_close(chunks);
}

void
chunks_close(struct chunks *chunks)
{
	while (chunks->count > 0)
		chunks_remove_first(chunks);
	free(chunks->ring);
	*chunks = (struct chunks){ .ring = NULL };
}
