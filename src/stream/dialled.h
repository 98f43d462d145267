/* A stream that is still to be connected: its `open` dials, and it then becomes the stream of the
 * connection, a socket (socket.h) or a datagram socket (datagram.h). */
#ifndef SOCKCAT_STREAM_DIALLED_H
#define SOCKCAT_STREAM_DIALLED_H

#include <stdbool.h>

#include "base/fault.h"
#include "net/dial.h"
#include "stream/stream.h"

/* `single`: a read of a datagram socket returns one message only. *peer is set to the address of
 * the connection; NULL: not needed. NULL and a fault if memory runs out. */
struct stream *dialled_new(
	const struct dial_config *config, bool single, struct address *peer, struct fault *fault);

/* The connection, if it is one of such a stream, has another owner: closing the stream leaves the
 * file of its own Unix socket. */
void dialled_leave_file(struct stream *stream);

#endif
