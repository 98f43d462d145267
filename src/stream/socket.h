/* The stream of a connected socket: TCP and its relatives, Unix stream and seqpacket, vsock. */
#ifndef SOCKCAT_STREAM_SOCKET_H
#define SOCKCAT_STREAM_SOCKET_H

#include <stdbool.h>

#include "base/fault.h"
#include "net/transport.h"
#include "stream/stream.h"

/* What is known of a connection, a set of bits. */
enum socket_facts {
	SOCKET_OWN = 1,         /* made by this process: non-blocking */
	SOCKET_MADE = 2,        /* connected, also if it uses TCP Fast Open */
	SOCKET_HAS_OPTIONS = 4, /* those of transport_set_options */
	SOCKET_UNKNOWN = 0
};

/*
 * A close resets the connection (transport_abort_on_close) unless it is clean. Takes the descriptor
 * and the name, also when there is no memory (NULL and a fault). `error`: what the kernel has
 * already reported of the connection, and will not report again; 0: nothing.
 */
struct stream *socket_new(const struct transport *transport, int fd, unsigned facts, int error,
	char *name, struct fault *fault);

/* Turns on keep-alive probes of a TCP connection that only the peer can end, unless they are on. */
void socket_probe(int fd);

#endif
