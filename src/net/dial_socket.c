/* Sockets for outgoing connections; see dial_socket.h. */
#include "net/dial_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/dial.h"
#include "sys/sys.h"

/* The address to bind for a connection to `to`; length 0: none. */
static struct address
dial_socket_local(const struct dial_config *config, const struct address *to)
{
	struct address local = config->local;
	if (local.length == 0 && config->local_port != 0) {
		/* All other bytes 0 mean any address, in both families. */
		local.any.sa_family = to->any.sa_family;
		local.length = to->length;
		address_set_port(&local, config->local_port);
	}
	return local;
}

/* Binds the local address if one is requested or needed. */
static bool
dial_socket_bind(const struct dial_config *config, struct unix_path *file, int fd,
	const struct address *local, const struct address *to)
{
	int on = 1;
	if (local->length == 0) {
		/* The peer cannot reply to an unbound datagram socket; a failure is harmless
		 * without replies. */
		if (to->any.sa_family == AF_UNIX && !config->transport->connected)
			(void)sys_bind_unnamed(fd);
		return true;
	}
	if (local->any.sa_family != to->any.sa_family) {
		errno = EAFNOSUPPORT;
		return false;
	}
	if (local->any.sa_family == AF_UNIX)
		return unix_path_bind(file, fd, local, &PERMISSIONS_OWNER);
	/* Allows a port with connections in TIME_WAIT. For datagrams it would share the port. */
	if (config->transport->connected)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return bind(fd, &local->any, local->length) == 0;
}

int
dial_socket_open(const struct dial_config *config, struct unix_path *file, const struct address *to,
	struct fault *fault)
{
	const char *refused = config->destinations != NULL
		? destinations_refuse(config->destinations, to, config->own_port)
		: NULL;
	if (refused != NULL) {
		if (config->error != NULL)
			*config->error = EACCES;
		(void)fault_set(fault, STATUS_PROXY, 0, "not allowed: %s", refused);
		return -1;
	}
	int fd = transport_socket(config->transport, to->any.sa_family);
	if (fd == -1) {
		(void)fault_set(
			fault, transport_status(errno, STATUS_CONNECT), 0, "%s", strerror(errno));
		return -1;
	}
	struct address local = dial_socket_local(config, to);
	if (sockopt_apply(config->options, fd, SOCKOPT_DIALLING, true, fault)) {
		if (dial_socket_bind(config, file, fd, &local, to))
			return fd;
		int error = errno;
		char *shown = address_print(&local);
		(void)fault_set(fault, STATUS_BIND, error, "bind %s", shown != NULL ? shown : "?");
		free(shown);
	}
	(void)sys_close(&fd);
	return -1;
}

bool
dial_socket_check(const struct dial_config *config, struct fault *fault)
{
	struct unix_path file = { .path = NULL };
	struct fault cause = FAULT_NONE;
	struct address to = config->local;
	bool plain = config->options->count == 0 && to.length == 0 && config->local_port == 0;
	if (plain || config->to.names != TRANSPORT_INET || config->inherited != -1)
		return true;
	if (to.length == 0) {
		to.any.sa_family = config->to.family == AF_INET6 ? AF_INET6 : AF_INET;
		to.length = sizeof to.v6;
	}
	int fd = dial_socket_open(config, &file, &to, &cause);
	(void)sys_close(&fd);
	if (cause.status == STATUS_BIND)
		fault_move(fault, &cause);
	fault_clear(&cause);
	return !fault_is_set(fault);
}

bool
dial_socket_connect(const struct dial_config *config, int fd, const struct address *to, bool *made)
{
	if (sys_connect(fd, &to->any, to->length))
		return true;
	*made = errno == EINPROGRESS;
	return *made && config->probe && address_is_loopback(to) &&
		sys_connect(fd, &to->any, to->length);
}

bool
dial_socket_is_group(int fd, const struct address *to)
{
	int on = 0, off = 0;
	socklen_t size = sizeof on;
	if (address_is_multicast(to))
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, &size) == -1 || on == 0 ||
		setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &off, sizeof off) == -1)
		return false;
	bool refused = !sys_connect(fd, &to->any, to->length) && errno == EACCES;
	(void)setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	return refused;
}
