/* The stream of a datagram socket: UDP and UDP-Lite, Unix datagram, vsock datagram. */
#ifndef SOCKCAT_STREAM_DATAGRAM_H
#define SOCKCAT_STREAM_DATAGRAM_H

#include <stdbool.h>

#include "base/fault.h"
#include "net/dial.h"
#include "net/endpoint.h"
#include "net/transport.h"
#include "stream/stream.h"

/* The accepted senders. */
enum datagram_peer {
	DATAGRAM_CONNECTED, /* the peer of the connected socket */
	DATAGRAM_FIRST,     /* the first sender; others are ignored and counted */
	DATAGRAM_GROUP      /* all: the peer is a multicast or broadcast address */
};

/* `single`: a read returns one message only. Takes the descriptor and the name, also when there is
 * no memory (NULL and a fault). */
struct stream *datagram_new(const struct transport *transport, int fd, char *name,
	enum datagram_peer whose, const struct address *peer, bool single, struct fault *fault);

/* After a refusal, if nothing was received, sends everything again to the next address of the dial
 * that made the socket. The dial outlives the stream. */
void datagram_redial(struct stream *stream, struct dial *dial);

#endif
