/* Sockets for outgoing connections: options, the local address, and kinds of destinations. */
#ifndef SOCKCAT_NET_DIAL_SOCKET_H
#define SOCKCAT_NET_DIAL_SOCKET_H

#include "base/fault.h"
#include "net/endpoint.h"
#include "net/unix_path.h"

struct dial_config;

/* Opens and binds a socket for a connection to the address; *file is the file of a Unix socket. -1
 * with a fault. */
int dial_socket_open(const struct dial_config *config, struct unix_path *file,
	const struct address *to, struct fault *fault);

/* Whether sockets can have the options and the local address; otherwise no connection to any
 * address will succeed. Status 45. */
bool dial_socket_check(const struct dial_config *config, struct fault *fault);

/*
 * Whether the address is a multicast or broadcast address. Only the kernel knows a subnet's
 * broadcast address: connecting to it fails with EACCES without SO_BROADCAST (ip(7)).
 */
bool dial_socket_is_group(int fd, const struct address *to);

/*
 * Connects. A connection of a probe to this host is asked for its result at once, as the loopback
 * interface has delivered the answer by then; if that is a reset, data that came before it is lost.
 * False with errno: EINPROGRESS, or a failure; a reset if the connection was established, and has
 * ended. *made: set if it cannot be TCP Fast Open.
 */
bool dial_socket_connect(
	const struct dial_config *config, int fd, const struct address *to, bool *made);

#endif
