/* Receiving the datagrams of a filter; see udp_receive.h. */
#include "filter/udp_receive.h"

#include <errno.h>

#include "net/transport.h"

/* The most datagrams that are dropped in one turn. */
#define UDP_RECEIVE_READS 16

enum io
udp_receive_next(
	struct udp_receive *receive, struct stream *stream, const struct iovec *space, size_t *got)
{
	for (int i = 0; i < UDP_RECEIVE_READS; i++) {
		struct sys_message message;
		ssize_t n = sys_receive_message(stream->read.fd, space, 1, false, &message);
		if (n == -1 &&
			(sys_would_block(errno) ||
				backoff_waits(&receive->backoff, errno, stream, &stream->read.at)))
			return IO_AGAIN;
		if (n == -1 && !receive->connected && transport_is_passing(errno))
			continue;
		if (n == -1)
			return IO_FAIL;
		backoff_ends(&receive->backoff);
		message.length = (size_t)n;
		if (!receive->accepts(stream, &message, space->iov_base))
			continue;
		*got = message.length;
		return IO_OK;
	}
	stream->read.at = STREAM_NOW;
	return IO_AGAIN;
}
