#include "filter/write_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
write_queue_add(struct write_queue *queue, const void *bytes, size_t n, struct fault *fault)
{
	size_t used = write_queue_used(queue);
	if (queue->start > 0)
		memmove(queue->bytes, queue->bytes + queue->start, used);
	queue->start = 0;
	queue->end = used;
	if (n > queue->size - used) {
		unsigned char *larger =
			n <= SIZE_MAX - used ? realloc(queue->bytes, used + n) : NULL;
		if (larger == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, "send");
		queue->bytes = larger;
		queue->size = used + n;
	}
	memcpy(queue->bytes + used, bytes, n);
	queue->end = used + n;
	return true;
}

enum io
write_queue_put(struct write_queue *queue, struct stream *stream, const void *bytes, size_t n,
	struct fault *fault)
{
	const unsigned char *from = bytes;
	enum io result = IO_OK;
	while (n > 0 && result == IO_OK && write_queue_is_empty(queue)) {
		struct iovec piece = { (void *)(uintptr_t)from, n };
		size_t put = 0;
		result = stream_write(stream, &piece, 1, &put, fault);
		from += put;
		n -= put;
	}
	if (result != IO_OK && result != IO_AGAIN)
		return IO_FAIL;
	return n == 0 || write_queue_add(queue, from, n, fault) ? IO_OK : IO_FAIL;
}

enum io
write_queue_flush(struct write_queue *queue, struct stream *stream, struct fault *fault)
{
	while (!write_queue_is_empty(queue)) {
		struct iovec piece = { queue->bytes + queue->start, write_queue_used(queue) };
		size_t put = 0;
		enum io result = stream_write(stream, &piece, 1, &put, fault);
		if (result != IO_OK)
			return result;
		queue->start += put;
	}
	return IO_OK;
}

void
write_queue_close(struct write_queue *queue)
{
	free(queue->bytes);
	*queue = (struct write_queue){ .bytes = NULL };
}
