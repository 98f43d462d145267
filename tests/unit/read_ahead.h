/* For filters of tests that read too far while they open: those bytes come before all else. */
#ifndef SOCKCAT_TESTS_READ_AHEAD_H
#define SOCKCAT_TESTS_READ_AHEAD_H

#include "stream/stream.h"

#define READ_AHEAD_MAX 10

/* Initially zeroed. */
struct read_ahead {
	unsigned char bytes[READ_AHEAD_MAX];
	size_t start, end; /* what is left of them */
};

/* Reads from the stream below the filter. */
static inline enum io
read_ahead_fill(struct stream *stream, struct read_ahead *ahead, struct fault *fault)
{
	struct iovec piece = { ahead->bytes, sizeof ahead->bytes };
	enum io result = stream_read(stream->lower, &piece, 1, &ahead->end, fault);
	stream_follow(stream);
	if (result != IO_OK)
		ahead->end = 0;
	stream->ready = ahead->end > 0;
	return result;
}

/* The read of the filter. */
static inline enum io
read_ahead_take(struct stream *stream, struct read_ahead *ahead, const struct iovec *pieces,
	int count, size_t *got, struct fault *fault)
{
	if (ahead->start == ahead->end) {
		enum io result = stream_read(stream->lower, pieces, count, got, fault);
		stream_follow(stream);
		return result;
	}
	*got = stream_copy(pieces, count, ahead->bytes + ahead->start, ahead->end - ahead->start);
	ahead->start += *got;
	stream->ready = ahead->start < ahead->end;
	return IO_OK;
}

#endif
