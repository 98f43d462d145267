/* The stream of a connected socket: TCP and its relatives, Unix stream and seqpacket, vsock. */
#ifndef SOCKCAT_STREAM_SOCKET_H
#define SOCKCAT_STREAM_SOCKET_H

#include <stdbool.h>

#include "base/fault.h"
#include "net/transport.h"
#include "stream/stream.h"

/*
 * Takes the descriptor and the name, also when there is no memory (false). `error`: what the kernel
 * has already reported of the connection, and will not report again; 0: nothing.
 */
bool socket_init(struct stream *stream, const struct transport *transport, int fd, int error,
	char *name, struct fault *fault);

#endif
