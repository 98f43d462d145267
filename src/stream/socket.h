/* The stream of a connected socket: TCP and its relatives, Unix stream and seqpacket, vsock. */
#ifndef SOCKCAT_STREAM_SOCKET_H
#define SOCKCAT_STREAM_SOCKET_H

#include <stdbool.h>

#include "base/fault.h"
#include "net/transport.h"
#include "stream/stream.h"

/* Takes the descriptor and the name, also when there is no memory (false). */
bool socket_init(struct stream *stream, const struct transport *transport, int fd, char *name,
	struct fault *fault);

#endif
