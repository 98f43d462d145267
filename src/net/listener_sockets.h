/* Opening and closing the sockets of a listener. */
#ifndef SOCKCAT_NET_LISTENER_SOCKETS_H
#define SOCKCAT_NET_LISTENER_SOCKETS_H

#include "base/fault.h"
#include "base/io.h"
#include "net/endpoint.h"
#include "net/listener.h"

/*
 * Opens a socket on every address, all with the port of the first. If the system chooses the port
 * and it is in use on another address, starts again from that address, which may have fewer free
 * ports. Skips addresses that the host lacks, unless it lacks all. IO_OK, or IO_FAIL.
 */
enum io listener_sockets_open(struct listener *listener, const struct address *addresses,
	size_t count, struct fault *fault);

/* Opens sockets on any address, IPv6 first. */
enum io listener_sockets_open_any(struct listener *listener, struct fault *fault);

/* Uses an inherited socket. */
bool listener_sockets_adopt(struct listener *listener, int fd, struct fault *fault);

/* Sets O_NONBLOCK before each accept(2): another process that shares the socket may accept the
 * client first, and may clear O_NONBLOCK when it ends. */
void listener_sockets_unblock(struct listener_socket *socket);

/* Closes all sockets, and restores the mode of inherited ones. */
void listener_sockets_close(struct listener *listener);

#endif
