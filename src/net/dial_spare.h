/*
 * A socket whose connection was refused, and that is connected again: opening and closing one takes
 * longer than the refusal by a port of this host, and so does the search for a local port.
 */
#ifndef SOCKCAT_NET_DIAL_SPARE_H
#define SOCKCAT_NET_DIAL_SPARE_H

#include "net/endpoint.h"
#include "net/transport.h"

struct dial_spare {
	int fd; /* owned; -1: none */
	int family;
	const struct transport *transport;
	bool pinned; /* it has a local port of its own */
};

/* Takes the socket for a connection to the address; -1: there is none. */
int dial_spare_take(
	struct dial_spare *spare, const struct transport *transport, const struct address *to);

/* Takes the socket of a connection to the address that was refused, and sets *fd to -1, if there is
 * none and it can be connected again. `spare` may be NULL. */
void dial_spare_keep(struct dial_spare *spare, const struct transport *transport,
	const struct address *to, int *fd);

void dial_spare_close(struct dial_spare *spare);

#endif
