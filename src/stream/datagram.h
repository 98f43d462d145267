/* The stream of a datagram socket: UDP and UDP-Lite, Unix datagram, vsock datagram. */
#ifndef SOCKCAT_STREAM_DATAGRAM_H
#define SOCKCAT_STREAM_DATAGRAM_H

#include <stdbool.h>

#include "base/fault.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/transport.h"
#include "stream/stream.h"

/* Whose datagrams count. */
enum datagram_peer {
	DATAGRAM_CONNECTED, /* the one the socket is connected to */
	DATAGRAM_FIRST,     /* the one that came first; others are ignored and counted */
	DATAGRAM_ANY        /* everybody; answers go to the one that was heard last */
};

/* Takes the descriptor and the name, also when there is no memory (false). */
bool datagram_init(struct stream *stream, const struct transport *transport, int fd, char *name,
	enum datagram_peer whose, const struct address *peer, struct fault *fault);

/* Of anybody's datagrams only those that the list permits count; the others are ignored. */
void datagram_guard(struct stream *stream, const struct access *access);

#endif
