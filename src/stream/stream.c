/* What all kinds of streams share; see stream.h. */
#include "stream/stream.h"

#include <poll.h>
#include <stdlib.h>

void
stream_init(struct stream *stream, const struct stream_ops *ops, char *name, void *impl)
{
	*stream = (struct stream){
		.ops = ops,
		.name = name,
		.rfd = -1,
		.wfd = -1,
		.splice_from = -1,
		.splice_to = -1,
		.rwait = POLLIN,
		.wwait = POLLOUT,
		.half_close = true,
		.impl = impl,
	};
	bulk_init(&stream->bulk, -1);
}

void
stream_close(struct stream *stream)
{
	if (stream->ops == NULL)
		return;
	stream->ops->close(stream);
	free(stream->name);
	*stream = (struct stream){ .ops = NULL };
}

size_t
stream_total(const struct iovec *pieces, int count)
{
	size_t total = 0;
	for (int i = 0; i < count; i++)
		total += pieces[i].iov_len;
	return total;
}
