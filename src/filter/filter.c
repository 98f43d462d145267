/* The base of filters; see filter.h. */
#include "filter/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The most reads of one turn of filter_discard. */
#define FILTER_READS 4

struct stream *
filter_add(struct stream **top, const struct stream_ops *ops, size_t size, struct fault *fault)
{
	struct stream *stream = stream_new(ops, strdup((*top)->name), size, fault);
	if (stream == NULL)
		return NULL;
	stream->lower = *top;
	stream_follow(stream);
	*top = stream;
	return stream;
}

bool
filter_insert(struct stream *stream, const struct stream_ops *ops, size_t size, struct fault *fault)
{
	struct stream *lower = malloc(sizeof *lower), *top = lower;
	if (lower == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "open %s", stream->name);
	*lower = *stream;
	if (filter_add(&top, ops, size, fault) == NULL) {
		free(lower);
		return false;
	}
	*stream = *top;
	free(top);
	return true;
}

void
filter_follow_up(struct stream *top, const struct stream *bottom)
{
	if (top == bottom)
		return;
	filter_follow_up(top->lower, bottom);
	stream_follow(top);
}

void
filter_become_lower(struct stream *stream)
{
	struct stream *lower = stream->lower;
	free(stream->impl);
	free(stream->name);
	*stream = *lower;
	free(lower);
}

enum io
filter_send(
	struct stream *stream, const void *bytes, size_t length, size_t *sent, struct fault *fault)
{
	struct stream *lower = stream->lower;
	enum io result = IO_OK;
	while (result == IO_OK && (*sent < length || lower->buffered)) {
		struct iovec piece = { (unsigned char *)(uintptr_t)bytes + *sent, length - *sent };
		size_t put = 0;
		result = stream_write(lower, &piece, piece.iov_len > 0, &put, fault);
		*sent += put;
	}
	stream_follow(stream);
	if (result == IO_AGAIN)
		stream->read = stream->write;
	return result;
}

enum io
filter_receive(struct stream *stream, void *bytes, size_t n, size_t *got, struct fault *fault)
{
	struct iovec piece = { bytes, n };
	enum io result = stream_read(stream->lower, &piece, 1, got, fault);
	stream_follow(stream);
	return result;
}

enum io
filter_discard(struct stream *stream, struct fault *fault)
{
	struct stream *lower = stream->lower;
	enum io result = IO_OK;
	for (int i = 0; i < FILTER_READS && result == IO_OK; i++) {
		unsigned char bytes[4096];
		struct iovec piece = { bytes, sizeof bytes };
		size_t got = 0;
		result = stream_read(lower, &piece, 1, &got, fault);
	}
	stream->hangup = lower->read;
	if (result == IO_OK)
		stream->hangup.at = STREAM_NOW;
	if (result == IO_END)
		stream->hangup.fd = -1;
	return result;
}

enum io
filter_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	enum io result = stream_write(stream->lower, pieces, count, put, fault);
	stream_follow(stream);
	return result;
}

enum io
filter_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	enum io result = stream_shut(stream->lower, half_close, fault);
	stream_follow(stream);
	return result;
}

/* --- a filter of which only bytes are left that it has read too far --- */

struct filter_rest {
	size_t start, end;
	unsigned char bytes[];
};

/* After the last of them it becomes the stream below. */
static enum io
filter_rest_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct filter_rest *rest = stream->impl;
	(void)fault;
	*got = stream_copy(pieces, count, rest->bytes + rest->start, rest->end - rest->start);
	rest->start += *got;
	if (rest->start == rest->end)
		filter_become_lower(stream);
	return IO_OK;
}

static void
filter_rest_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops filter_rest_ops = { .read = filter_rest_read,
	.write = filter_write,
	.shut = filter_shut,
	.close = filter_rest_close };

bool
filter_leave(struct stream *stream, const void *bytes, size_t n, struct fault *fault)
{
	if (n == 0) {
		filter_become_lower(stream);
		return true;
	}
	struct filter_rest *rest = malloc(sizeof *rest + n);
	if (rest == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "receive from %s", stream->name);
	rest->start = 0;
	rest->end = n;
	memcpy(rest->bytes, bytes, n);
	free(stream->impl);
	stream->impl = rest;
	stream->ops = &filter_rest_ops;
	stream_follow(stream);
	stream->ready = true;
	return true;
}
