/* The transports: one row each, with all that the rest needs to know of it as data. */
#ifndef SOCKCAT_NET_TRANSPORT_H
#define SOCKCAT_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

/* How an endpoint of the transport is written. */
enum transport_names { TRANSPORT_INET, TRANSPORT_UNIX, TRANSPORT_VSOCK };

struct transport {
	const char *name;
	enum transport_names names;
	int type;           /* SOCK_… */
	int protocol;       /* an enum sys_protocol, or -1: the type's own */
	bool connected;     /* has connections: they are accepted, they end, they half-close */
	bool tcp;           /* has the options of TCP, and counts what is not acknowledged */
	bool resets;        /* a close without lingering tells the peer that it is no good end */
	size_t message_max; /* keeps messages, of at most so many bytes sent; 0: bytes */
};

/*
 * The row for what was asked for; each argument says whether its option was given. NULL if there
 * is no such combination.
 */
const struct transport *transport_find(
	enum transport_names names, bool datagram, bool seqpacket, int protocol);

/* The row of a socket that is there already, NULL if there is none for it (or it is no socket);
 * *listens: it accepts connections. */
const struct transport *transport_of_socket(int fd, bool *listens);

/* The protocol number for socket(2); false with errno EPROTONOSUPPORT if this system has none. */
bool transport_protocol(const struct transport *transport, int *protocol);

/* The status for a socket call that failed: what the kernel lacks, or has no more of, is the same
 * everywhere. */
enum status transport_status(int error, enum status otherwise);

#endif
