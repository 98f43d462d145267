/* Bytes that a filter still has to write to the stream below. */
#ifndef SOCKCAT_FILTER_WRITE_QUEUE_H
#define SOCKCAT_FILTER_WRITE_QUEUE_H

#include "base/fault.h"
#include "stream/stream.h"

/* Initially zeroed. */
struct write_queue {
	unsigned char *bytes; /* owned */
	size_t start, end, size;
};

static inline size_t
write_queue_used(const struct write_queue *queue)
{
	return queue->end - queue->start;
}

static inline bool
write_queue_is_empty(const struct write_queue *queue)
{
	return queue->start == queue->end;
}

/* Appends bytes; false and a fault if there is no memory. */
bool write_queue_add(struct write_queue *queue, const void *bytes, size_t n, struct fault *fault);

/* Writes the bytes to a stream while the queue is empty, and appends the rest. Never IO_AGAIN. */
enum io write_queue_put(struct write_queue *queue, struct stream *stream, const void *bytes,
	size_t n, struct fault *fault);

/* Writes to a stream: IO_OK when the queue is empty. */
enum io write_queue_flush(struct write_queue *queue, struct stream *stream, struct fault *fault);

/* Frees it. */
void write_queue_close(struct write_queue *queue);

#endif
