/* The table of transports: one row each, with their properties as data. */
#ifndef SOCKCAT_NET_TRANSPORT_H
#define SOCKCAT_NET_TRANSPORT_H

#include "base/fault.h"

/* The notation of endpoints. */
enum transport_names { TRANSPORT_INET, TRANSPORT_UNIX, TRANSPORT_VSOCK };

struct transport {
	const char *name;
	enum transport_names names;
	int type;           /* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
	int protocol;       /* an enum sys_protocol, or -1: the type's own */
	bool connected;     /* connection-oriented: accept, end of input, half-close */
	bool tcp;           /* supports TCP options and counts unacknowledged data */
	bool resets;        /* SO_LINGER with 0 seconds makes close(2) reset the connection */
	size_t message_max; /* > 0: preserves messages; the size of messages made from bytes */
};

/* The row for a notation, socket type and protocol (an enum sys_protocol, -1: the default); NULL:
 * not supported. */
const struct transport *transport_find(
	enum transport_names names, bool datagram, bool seqpacket, int protocol);

/* The row of an inherited descriptor; NULL: no socket, or of no row. *listens: it accepts
 * connections. */
const struct transport *transport_of_socket(int fd, bool *listens);

/*
 * Makes close(2) reset the connection, also when the process is killed, so that the peer does not
 * mistake partial data for all of it; or undoes that after a session that ended cleanly. Called as
 * soon as there is a socket that may become connected. No effect unless the transport resets.
 * False: the system refuses it.
 */
bool transport_abort_on_close(const struct transport *transport, int fd, bool on);

/* Returns and clears the pending error of the socket; 0: none. */
int transport_pending_error(int fd);

/* Sets the options of every connection: it sends each write at once, and leaves urgent bytes in
 * their place. */
void transport_set_options(const struct transport *transport, int fd);

/* Sets these options and transport_abort_on_close for all connections that the listening socket
 * will accept; false: they do not have its options. */
bool transport_set_accepted(const struct transport *transport, int fd);

/* The largest message that the socket can send; 0: the transport has no messages. */
size_t transport_message_max(const struct transport *transport, int fd);

/* Opens a socket (sys_socket); -1 with errno. */
int transport_socket(const struct transport *transport, int family);

/* The status for a failed socket call: STATUS_MISSING for unsupported features, STATUS_MEMORY for
 * exhausted resources, `otherwise` for all other errors. */
enum status transport_status(int error, enum status otherwise);

/* Whether an error of accept(2) or recvmsg(2) concerns one client or an earlier datagram only, so
 * that the call can be repeated at once. */
bool transport_is_passing(int error);

#endif
