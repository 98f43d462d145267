/* Listening; see listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sys/sys.h"

#define LISTENER_BACKLOG 128

/* How long to leave a machine alone that has no descriptors left. */
#define LISTENER_PAUSE (100 * CLOCK_MILLISECOND)

/* How long not to say again that this is so. */
#define LISTENER_SILENCE CLOCK_SECOND

/* How often to look for one port that is free for every address. */
#define LISTENER_TRIES 16

static void
listener_drop_sockets(struct listener *listener)
{
	while (listener->count > 0) {
		struct listener_socket *socket = &listener->sockets[--listener->count];
		if (socket->restore)
			(void)sys_set_nonblocking(socket->fd, false, NULL);
		(void)sys_close(&socket->fd);
	}
}

/* This machine does not have the address's family, or not the address. */
static bool
listener_is_absent(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPFNOSUPPORT;
}

static bool
listener_bind(struct listener *listener, int fd, const struct address *address)
{
	const struct sockaddr *name = (const struct sockaddr *)&address->storage;
	if (address->storage.ss_family == AF_UNIX)
		return socketfile_bind(&listener->file, fd, address);
	return bind(fd, name, address->length) == 0;
}

/* The options: ours, which the user may change, and the user's. `only`: there is no other socket
 * that one of them may be for. */
static bool
listener_set_options(
	const struct listener *listener, int fd, int family, bool only, struct fault *fault)
{
	int on = 1;
	/* On a port of which old connections linger; never beside another listener. For datagrams
	 * it would mean sharing the port, so not there. */
	if (listener->config->transport->connected && family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == -1)
		return false;
	return sockopt_apply(listener->config->options, fd, SOCKOPT_LISTENING, only, fault);
}

/* Adds a socket on the address; false with errno. */
static bool
listener_add(
	struct listener *listener, const struct address *address, bool only, struct fault *fault)
{
	const struct transport *transport = listener->config->transport;
	int protocol;
	int fd = -1;
	if (transport_protocol(transport, &protocol))
		fd = sys_socket(address->storage.ss_family, transport->type, protocol);
	if (fd == -1)
		return false;
	struct listener_socket *socket = &listener->sockets[listener->count];
	*socket = (struct listener_socket){ .fd = fd, .address = *address, .entry = INTEREST_NONE };
	socket->address.length = sizeof socket->address.storage;
	if (listener_set_options(listener, fd, address->storage.ss_family, only, fault) &&
		listener_bind(listener, fd, address) &&
		(!transport->connected || listen(fd, LISTENER_BACKLOG) == 0) &&
		getsockname(fd, (struct sockaddr *)&socket->address.storage,
			&socket->address.length) == 0) {
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
listener_fail(const struct address *address, int error, struct fault *fault)
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

/*
 * Opens a socket on every address, the first one's port being that of all. Where any port will do
 * and that one is taken for another address, that address chooses next: its ports may be the rarer
 * ones. Addresses that this machine does not have are passed over as long as there is another.
 */
static enum io
listener_open(struct listener *listener, const struct address *addresses, size_t count,
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
			if (listener_add(listener, &address, count == 1, fault))
				continue;
			error = errno;
			if (fault_is_set(fault))
				return IO_FAIL;
			if (listener_is_absent(error)) {
				absent = &addresses[i];
				continue;
			}
			chooser = i;
			again = any_port && error == EADDRINUSE && listener->count > 0 &&
				tries < LISTENER_TRIES;
			listener_drop_sockets(listener);
			if (!again)
				return listener_fail(&address, error, fault);
		}
		if (!again && listener->count == 0)
			return listener_fail(absent, error, fault);
	}
	listener->state = LISTENER_OPEN;
	return IO_OK;
}

/* Every address of this machine, IPv6 first, so that a connection finds its own family's socket. */
static enum io
listener_open_any(struct listener *listener, struct fault *fault)
{
	const struct endpoint *on = &listener->config->on;
	struct address any[2];
	size_t count = 0;
	memset(any, 0, sizeof any);
	if (on->family != AF_INET) {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&any[count].storage;
		v6->sin6_family = AF_INET6;
		v6->sin6_addr = in6addr_any;
		any[count++].length = sizeof *v6;
	}
	if (on->family != AF_INET6) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)&any[count].storage;
		v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(INADDR_ANY);
		any[count++].length = sizeof *v4;
	}
	for (size_t i = 0; i < count; i++)
		address_set_port(&any[i], (uint16_t)on->port);
	return listener_open(listener, any, count, fault);
}

static enum io
listener_resolved(struct listener *listener, enum io result, struct fault *fault)
{
	if (result != IO_OK)
		return result;
	return listener_open(listener, listener->resolve.addresses, listener->resolve.count, fault);
}

/* Another process may take the client that poll(2) has seen, and makes the socket block again when
 * it ends, as we do: so this is done before each accept(2). */
static void
listener_unblock(struct listener_socket *socket)
{
	bool was = true;
	if (sys_set_nonblocking(socket->fd, true, &was) && !was)
		socket->restore = true;
}

/* Takes a socket that is there already. */
static bool
listener_adopt(struct listener *listener, int fd, struct fault *fault)
{
	const struct listener_config *config = listener->config;
	struct listener_socket *socket = &listener->sockets[listener->count];
	*socket = (struct listener_socket){ .fd = fd, .entry = INTEREST_NONE };
	socket->address.length = sizeof socket->address.storage;
	if (getsockname(socket->fd, (struct sockaddr *)&socket->address.storage,
		    &socket->address.length) == -1)
		return fault_set(fault, STATUS_LISTEN, errno, "descriptor %d", fd);
	if (!sockopt_apply(
		    config->options, fd, SOCKOPT_LISTENING, config->inherited_count == 1, fault))
		return false;
	if (config->transport->connected)
		listener_unblock(socket);
	else
		sys_mark_own_address(fd);
	listener->count++;
	return true;
}

enum io
listener_start(struct listener *listener, const struct listener_config *config, struct fault *fault)
{
	*listener = (struct listener){ .config = config };
	for (size_t i = 0; i < config->inherited_count; i++)
		if (!listener_adopt(listener, config->inherited[i], fault))
			return IO_FAIL;
	if (config->inherited_count > 0) {
		listener->state = LISTENER_OPEN;
		return IO_OK;
	}
	if (config->on.names == TRANSPORT_INET && config->on.host == NULL)
		return listener_open_any(listener, fault);
	return listener_resolved(
		listener, resolve_start(&listener->resolve, &config->on, fault), fault);
}

enum io
listener_step(struct listener *listener, const struct interest *interest, struct fault *fault)
{
	return listener_resolved(listener,
		resolve_step(&listener->resolve, &listener->config->on, interest, fault), fault);
}

void
listener_ask(struct listener *listener, struct interest *interest)
{
	if (listener->state == LISTENER_RESOLVING) {
		resolve_ask(&listener->resolve, interest);
		return;
	}
	for (size_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];
		socket->entry = INTEREST_NONE;
		if (listener->paused == 0)
			socket->entry = interest_ask(interest, socket->fd, POLLIN);
	}
	if (listener->paused != 0)
		interest_until(interest, listener->paused);
}

/* Errors of accept(2) that belong to a client that has gone, or to the way to it. */
static bool
listener_is_passing(int error)
{
	switch (error) {
	case EAGAIN:
	case ECONNABORTED:
	case ECONNRESET:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ETIMEDOUT:
	case EPERM:
#ifdef ENONET
	case ENONET:
#endif
		return true;
	default:
		return false;
	}
}

static enum io
listener_accept_failed(struct listener *listener, const struct listener_socket *socket, int error,
	int64_t now, struct fault *fault)
{
	if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
		listener->paused = clock_after(now, LISTENER_PAUSE);
		if (now >= listener->silent) {
			log_event(LOG_VERBOSE, "accept: %s; trying again", strerror(error));
			listener->silent = clock_after(now, LISTENER_SILENCE);
		}
		return IO_AGAIN;
	}
	if (listener_is_passing(error)) {
		if (error != EAGAIN)
			log_event(LOG_VERBOSE, "accept: %s", strerror(error));
		return IO_AGAIN;
	}
	char *shown = address_print(&socket->address);
	(void)fault_set(fault, STATUS_LISTEN, error, "accept %s", shown != NULL ? shown : "?");
	free(shown);
	return IO_FAIL;
}

void
listener_report(const struct listener_client *client, log_writer write)
{
	struct sys_credentials from;
	if (!log_wants(LOG_VERBOSE))
		return;
	char *shown = address_print(&client->peer);
	const char *name = shown != NULL ? shown : "?";
	sys_peer_credentials(client->fd, &from);
	/* The name is the peer's to choose; what stands at the end is not. */
	if (from.user != SYS_NO_USER)
		write(LOG_VERBOSE, "connection from %s, uid %ju, gid %ju, pid %jd", name,
			(uintmax_t)from.user, (uintmax_t)from.group, (intmax_t)from.process);
	else
		write(LOG_VERBOSE, "connection from %s", name);
	free(shown);
}

/* Whether the user behind a connection may be a client. */
static bool
listener_permits_user(struct listener *listener, const struct listener_client *client)
{
	const struct users *users = listener->config->users;
	struct sys_credentials from;
	if (users == NULL || users->count == 0)
		return true;
	sys_peer_credentials(client->fd, &from);
	if (from.user != SYS_NO_USER && users_have(users, from.user))
		return true;
	char *shown = address_print(&client->peer);
	log_event(LOG_VERBOSE, "refused %s: uid %ju is not allowed, pid %jd",
		shown != NULL ? shown : "?", (uintmax_t)from.user, (intmax_t)from.process);
	free(shown);
	listener->refused++;
	return false;
}

bool
listener_permits(struct listener *listener, const struct address *peer)
{
	if (access_permits(listener->config->access, peer))
		return true;
	char *shown = address_print(peer);
	log_event(LOG_VERBOSE, "refused %s: an access list says so", shown != NULL ? shown : "?");
	free(shown);
	listener->refused++;
	return false;
}

void
listener_turn_away(const struct listener *listener, struct listener_client *client)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	if (listener->config->transport->resets)
		(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	(void)sys_close(&client->fd);
}

/* Looks who has sent the datagram that waits, and hands the socket over. */
static enum io
listener_accept_datagram(struct listener *listener, size_t i, struct listener_client *client)
{
	struct listener_socket *socket = &listener->sockets[i];
	client->peer.length = sizeof client->peer.storage;
	if (recvfrom(socket->fd, NULL, 0, MSG_PEEK | MSG_DONTWAIT,
		    (struct sockaddr *)&client->peer.storage, &client->peer.length) == -1)
		return IO_AGAIN;
	if (!listener_permits(listener, &client->peer)) {
		(void)recvfrom(socket->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
		return IO_AGAIN;
	}
	client->fd = socket->fd;
	*socket = listener->sockets[--listener->count];
	/* Others are told at once that nobody listens, instead of talking to a deaf socket. */
	listener_drop_sockets(listener);
	return IO_OK;
}

enum io
listener_accept(struct listener *listener, const struct interest *interest, int64_t now,
	struct listener_client *client, struct fault *fault)
{
	if (listener->paused != 0 && now >= listener->paused)
		listener->paused = 0;
	for (size_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];
		if (!interest_fired(interest, socket->entry))
			continue;
		*client = (struct listener_client){ .fd = -1 };
		if (!listener->config->transport->connected) {
			if (listener_accept_datagram(listener, i, client) == IO_OK)
				return IO_OK;
			continue;
		}
		if (listener->config->inherited_count > 0)
			listener_unblock(socket);
		client->peer.length = sizeof client->peer.storage;
		client->fd = sys_accept(
			socket->fd, (struct sockaddr *)&client->peer.storage, &client->peer.length);
		if (client->fd == -1) {
			if (listener_accept_failed(listener, socket, errno, now, fault) == IO_FAIL)
				return IO_FAIL;
			continue;
		}
		if (listener_permits(listener, &client->peer) &&
			listener_permits_user(listener, client))
			return IO_OK;
		listener_turn_away(listener, client);
	}
	return IO_AGAIN;
}

void
listener_close(struct listener *listener)
{
	if (listener->config == NULL)
		return;
	if (listener->refused > 0)
		log_line(LOG_VERBOSE, "%" PRIu64 " refused by the access lists", listener->refused);
	socketfile_remove(&listener->file);
	listener_drop_sockets(listener);
	resolve_close(&listener->resolve);
	*listener = (struct listener){ .config = NULL };
}
