/* Streams around streams; see layer.h. */
#include "stream/layer.h"

void
layer_init(struct stream *stream, struct stream *inner, const struct stream_ops *ops, void *impl)
{
	*inner = *stream;
	stream->ops = ops;
	stream->impl = impl;
	/* Whoever is laid around it wants to see the bytes. */
	stream->splice_from = stream->splice_to = -1;
}

void
layer_enter(const struct stream *stream, struct stream *inner)
{
	inner->pending = stream->pending;
	inner->ragain = stream->ragain;
	inner->wagain = stream->wagain;
	inner->lagain = stream->lagain;
	inner->single = stream->single;
	inner->bulk = stream->bulk;
	inner->eof = stream->eof;
	inner->last = stream->last;
	inner->watch = stream->watch;
	inner->half_close = stream->half_close;
	inner->clean = stream->clean;
}

void
layer_leave(struct stream *stream, const struct stream *inner)
{
	const struct stream_ops *ops = stream->ops;
	void *impl = stream->impl;
	*stream = *inner;
	stream->ops = ops;
	stream->impl = impl;
	stream->splice_from = stream->splice_to = -1;
}
