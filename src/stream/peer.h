/*
 * One of the peers of a datagram socket that is not connected: what came from it waits until it is
 * read, and what is written goes to it. Nobody waits on the socket here: whoever owns it receives,
 * and hands on what is this one's.
 */
#ifndef SOCKCAT_STREAM_PEER_H
#define SOCKCAT_STREAM_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "net/endpoint.h"
#include "net/transport.h"
#include "stream/stream.h"
#include "sys/sys.h"

struct peer_letter;

struct peer {
	struct stream *stream; /* not owned */
	struct address address;
	int fd;             /* not owned: where it was heard last, … */
	struct address own; /* … and at which of our addresses */
	struct peer_letter *first, *last; /* owned: what waits, … */
	size_t waiting, limit;            /* … in bytes */
};

/* Makes the stream, which has the peer until it is closed. Takes the name, also when there is no memory (false). The socket stays its owner's. At most
 * `limit` bytes wait; what comes then is dropped, as the kernel does. */
bool peer_init(struct stream *stream, struct peer *peer, const struct transport *transport,
	const struct address *address, size_t limit, char *name, struct fault *fault);

/* A datagram has come from it to the socket, which is to be answered from. */
void peer_take(
	struct peer *peer, int fd, const unsigned char *bytes, const struct sys_message *message);

#endif
