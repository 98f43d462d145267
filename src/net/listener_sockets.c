/* The sockets of a listener; see listener_sockets.h. */
#include "net/listener_sockets.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/sys.h"

#define LISTENER_SOCKETS_BACKLOG 128

/* Attempts to find one port that is free on every address. */
#define LISTENER_SOCKETS_TRIES 16

void
listener_sockets_close(struct listener *listener)
{
	while (listener->count > 0) {
		struct listener_socket *socket = &listener->sockets[--listener->count];
		if (socket->restore)
			(void)sys_set_nonblocking(socket->fd, false, NULL);
		(void)sys_close(&socket->fd);
	}
}

/* Whether the host lacks the address or its family. */
static bool
listener_sockets_is_absent(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPFNOSUPPORT;
}

static bool
listener_sockets_bind(
	struct listener *listener, int fd, const struct address *address, struct fault *fault)
{
	const struct permissions *permissions = &listener->config->permissions;
	if (address->any.sa_family != AF_UNIX)
		return bind(fd, &address->any, address->length) == 0;
	if (!unix_path_bind(&listener->file, fd, address, permissions))
		return false;
	return unix_path_permit(&listener->file, permissions) ||
		fault_set(fault, STATUS_LISTEN, errno, "set the group of %s",
			listener->config->on.host);
}

/* Sets the defaults, then the user's options. `only`: this is the only socket, so each option has
 * to apply to it. */
static bool
listener_sockets_set_options(
	const struct listener *listener, int fd, int family, bool only, struct fault *fault)
{
	int on = 1;
	/* Allows a port with connections in TIME_WAIT. For datagrams it would share the port. */
	if (listener->config->transport->connected && family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == -1)
		return false;
	return sockopt_apply(listener->config->options, fd, SOCKOPT_LISTENING, only, fault);
}

/* Opens a socket on the address; false with errno, or a fault. */
static bool
listener_sockets_add(
	struct listener *listener, const struct address *address, bool only, struct fault *fault)
{
	const struct transport *transport = listener->config->transport;
	int fd = transport_socket(transport, address->any.sa_family);
	if (fd == -1)
		return false;
	struct listener_socket *socket = &listener->sockets[listener->count];
	/* The options are set before listen(2): a client may connect right after it. */
	*socket = (struct listener_socket){ .fd = fd,
		.entry = POLLSET_NONE,
		.gives_options = transport_set_accepted(transport, fd) };
	if (listener_sockets_set_options(listener, fd, address->any.sa_family, only, fault) &&
		listener_sockets_bind(listener, fd, address, fault) &&
		(!transport->connected || listen(fd, LISTENER_SOCKETS_BACKLOG) == 0) &&
		address_of_socket(&socket->address, fd)) {
		if (!transport->connected)
			sys_mark_own_address(fd);
		listener->count++;
		return true;
	}
	int error = errno;
	(void)sys_close(&fd);
	errno = error;
	return false;
}

static enum io
listener_sockets_fail(const struct address *address, int error, struct fault *fault)
{
	enum status status = transport_status(error, STATUS_LISTEN);
	char *shown = address_print(address);
	const char *name = shown != NULL ? shown : "?";
	if (error == EEXIST)
		(void)fault_set(
			fault, status, 0, "listen %s: the path exists and is not a socket", name);
	else
		(void)fault_set(fault, status, error, "listen %s", name);
	free(shown);
	return IO_FAIL;
}

enum io
listener_sockets_open(struct listener *listener, const struct address *addresses, size_t count,
	struct fault *fault)
{
	bool any_port = listener->config->on.port == 0;
	bool again = true;
	size_t chooser = 0;
	for (unsigned tries = 0; again; tries++) {
		const struct address *absent = NULL;
		int error = 0;
		again = false;
		for (size_t turn = 0; turn < count && !again; turn++) {
			size_t i = (chooser + turn) % count;
			struct address address = addresses[i];
			if (any_port && listener->count > 0)
				address_set_port(
					&address, address_port(&listener->sockets[0].address));
			if (listener_sockets_add(listener, &address, count == 1, fault))
				continue;
			error = errno;
			if (fault_is_set(fault))
				return IO_FAIL;
			if (listener_sockets_is_absent(error)) {
				absent = &addresses[i];
				continue;
			}
			chooser = i;
			again = any_port && error == EADDRINUSE && listener->count > 0 &&
				tries < LISTENER_SOCKETS_TRIES;
			listener_sockets_close(listener);
			if (!again)
				return listener_sockets_fail(&address, error, fault);
		}
		if (!again && listener->count == 0)
			return listener_sockets_fail(absent, error, fault);
	}
	listener->state = LISTENER_OPEN;
	return IO_OK;
}

enum io
listener_sockets_open_any(struct listener *listener, struct fault *fault)
{
	const struct endpoint *on = &listener->config->on;
	struct address any[2];
	size_t count = 0;
	/* All other bytes 0 mean any address, in both families. */
	if (on->family != AF_INET)
		any[count++] = (struct address){ .v6 = { .sin6_family = AF_INET6 },
			.length = sizeof any->v6 };
	if (on->family != AF_INET6)
		any[count++] = (struct address){ .v4 = { .sin_family = AF_INET },
			.length = sizeof any->v4 };
	for (size_t i = 0; i < count; i++)
		address_set_port(&any[i], (uint16_t)on->port);
	return listener_sockets_open(listener, any, count, fault);
}

void
listener_sockets_unblock(struct listener_socket *socket)
{
	bool was = true;
	if (sys_set_nonblocking(socket->fd, true, &was) && !was)
		socket->restore = true;
}

bool
listener_sockets_adopt(struct listener *listener, int fd, struct fault *fault)
{
	const struct listener_config *config = listener->config;
	struct listener_socket *socket = &listener->sockets[listener->count];
	*socket = (struct listener_socket){ .fd = fd, .entry = POLLSET_NONE };
	if (!address_of_socket(&socket->address, fd))
		return fault_set(fault, STATUS_LISTEN, errno, "descriptor %d", fd);
	if (!sockopt_apply(
		    config->options, fd, SOCKOPT_LISTENING, config->listen_fds_count == 1, fault))
		return false;
	if (config->transport->connected && !config->accepted)
		listener_sockets_unblock(socket);
	else if (!config->transport->connected)
		sys_mark_own_address(fd);
	listener->count++;
	return true;
}
