/*
 * The base of filters: streams on top of another stream, their `lower`.
 *
 * A filter's operations use the lower stream through stream_read and the others, and state their
 * own sides afterwards: mostly stream_follow. The lower stream's opening and closing is done by
 * stream_open and stream_close.
 */
#ifndef SOCKCAT_FILTER_FILTER_H
#define SOCKCAT_FILTER_FILTER_H

#include "base/fault.h"
#include "stream/stream.h"

/* Puts a filter on top of a stream, with `size` zeroed bytes at `impl`: *top becomes the filter,
 * which is also returned. NULL and a fault if there is no memory. */
struct stream *filter_add(
	struct stream **top, const struct stream_ops *ops, size_t size, struct fault *fault);

/* The same below those who hold a pointer to the stream: the stream becomes the filter, and moves
 * below it. */
bool filter_insert(
	struct stream *stream, const struct stream_ops *ops, size_t size, struct fault *fault);

/* Takes over the sides of `bottom` in all filters from the one above it to `top`. */
void filter_follow_up(struct stream *top, const struct stream *bottom);

/* The filter, which is no longer needed, becomes the stream below, with its name. Frees `impl`. */
void filter_become_lower(struct stream *stream);

/* The same as soon as the n bytes that it has read too far, and which may be in `impl`, have been
 * read. False and a fault if memory runs out. */
bool filter_leave(struct stream *stream, const void *bytes, size_t n, struct fault *fault);

/* For a filter that opens: sends the bytes from *sent on to the lower stream. IO_OK: it has written
 * all. IO_AGAIN: the filter waits for that with both sides. */
enum io filter_send(
	struct stream *stream, const void *bytes, size_t length, size_t *sent, struct fault *fault);

/* The same: reads up to n bytes from the lower stream. */
enum io filter_receive(
	struct stream *stream, void *bytes, size_t n, size_t *got, struct fault *fault);

/* Operations of a filter that only pass on what the stream below does. */
enum io filter_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault);
enum io filter_shut(struct stream *stream, bool half_close, struct fault *fault);

/* Reads what the stream below has by now, up to a limit, and drops it. The filter watches with
 * `hangup` whether there is more. IO_AGAIN: it has no more now; otherwise as a read. */
enum io filter_discard(struct stream *stream, struct fault *fault);

#endif
