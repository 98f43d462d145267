/* Listening; see listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "net/listener_sockets.h"
#include "net/tcp_state.h"
#include "sys/sys.h"

/* How long to pause when descriptors or memory have run out. */
#define LISTENER_PAUSE (100 * CLOCK_MILLISECOND)

/* The interval of reports about that. */
#define LISTENER_SILENCE CLOCK_SECOND

static enum io
listener_resolved(struct listener *listener, enum io result, struct fault *fault)
{
	if (result != IO_OK)
		return result;
	return listener_sockets_open(
		listener, listener->resolve.addresses, listener->resolve.count, fault);
}

enum io
listener_start(struct listener *listener, const struct listener_config *config, struct fault *fault)
{
	*listener = (struct listener){ .config = config };
	for (size_t i = 0; i < config->listen_fds_count; i++)
		if (!listener_sockets_adopt(listener, config->inherited[i], fault))
			return IO_FAIL;
	if (config->listen_fds_count > 0) {
		listener->state = LISTENER_OPEN;
		return IO_OK;
	}
	if (config->on.names == TRANSPORT_INET && config->on.host == NULL)
		return listener_sockets_open_any(listener, fault);
	return listener_resolved(listener,
		hosts_resolve(config->hosts, &listener->resolve, &config->on, fault), fault);
}

enum io
listener_step(struct listener *listener, const struct pollset *pollset, struct fault *fault)
{
	return listener_resolved(listener,
		resolve_step(&listener->resolve, &listener->config->on, pollset, fault), fault);
}

void
listener_ask(struct listener *listener, struct pollset *pollset)
{
	if (listener->state == LISTENER_RESOLVING) {
		resolve_ask(&listener->resolve, pollset);
		return;
	}
	/* The client is there already. */
	if (listener->config->accepted && listener->count > 0) {
		pollset_until(pollset, 0);
		return;
	}
	for (size_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];
		socket->entry = POLLSET_NONE;
		socket->again = false;
		if (listener->paused == 0)
			socket->entry = pollset_ask(pollset, socket->fd, POLLIN);
	}
	if (listener->paused != 0)
		pollset_until(pollset, listener->paused);
}

void
listener_pause(struct listener *listener, const char *operation, int error, int64_t now)
{
	listener->paused = clock_after(now, LISTENER_PAUSE);
	if (now < listener->silent)
		return;
	event_emit(&(struct event){
		.kind = EVENT_listener_paused, .object = operation, .cause = strerror(error) });
	listener->silent = clock_after(now, LISTENER_SILENCE);
}

static enum io
listener_accept_failed(struct listener *listener, const struct listener_socket *socket, int error,
	int64_t now, struct fault *fault)
{
	if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
		listener_pause(listener, "accept", error, now);
		return IO_AGAIN;
	}
	if (transport_is_passing(error)) {
		if (error != EAGAIN)
			event_emit(&(struct event){
				.kind = EVENT_accept_failed, .cause = strerror(error) });
		return IO_AGAIN;
	}
	char *shown = address_print(&socket->address);
	(void)fault_set(fault, STATUS_LISTEN, error, "accept %s", shown != NULL ? shown : "?");
	free(shown);
	return IO_FAIL;
}

/* The peer chooses the name of its Unix socket; the credentials are from the kernel. */
static void
listener_emit(struct event event, const struct address *peer, const struct sys_credentials *from)
{
	char *name = address_print(peer);
	event.peer = name;
	if (from != NULL && from->user != SYS_NO_USER) {
		event.uid = from->user;
		event.gid = from->group;
		event.pid = (uint64_t)from->process;
	}
	event_emit(&event);
	free(name);
}

/* Adds the fields of a header. */
static void
listener_add_header(struct event *event, char *texts[3], const struct proxy_header *header,
	const struct address *from)
{
	const struct proxy_header_value *id = &header->id, *name = &header->authority;
	event->via = texts[0] = address_print(from);
	if (id->length > 0)
		event->unique_id = texts[1] = strndup((const char *)id->bytes, id->length);
	if (name->length > 0)
		event->server_name = texts[2] = strndup((const char *)name->bytes, name->length);
}

void
listener_report(int fd, const struct address *peer, const struct transport *transport,
	const struct proxy_header *header, const struct address *from)
{
	struct sys_credentials user;
	struct address own;
	struct event event = { .kind = EVENT_accepted, .protocol = transport->name };
	char *local = NULL, *texts[3] = { NULL };
	if (!event_wants(EVENT_accepted))
		return;
	sys_peer_credentials(fd, &user);
	if (event_reports() && transport->connected) {
		if (header != NULL)
			event.local = local = address_print(&header->destination);
		else if (address_of_socket(&own, fd))
			event.local = local = address_print(&own);
		tcp_state_add(&event, transport, fd);
	}
	if (header != NULL)
		listener_add_header(&event, texts, header, from);
	listener_emit(event, peer, header != NULL ? NULL : &user);
	free(local);
	for (size_t i = 0; i < 3; i++)
		free(texts[i]);
}

/* Whether the peer's user is permitted; if not, reports and counts the client. */
static bool
listener_permits_user(struct listener *listener, const struct listener_client *client)
{
	const struct uid_list *users = listener->config->users;
	struct sys_credentials from;
	if (users == NULL || users->count == 0)
		return true;
	sys_peer_credentials(client->fd, &from);
	if (from.user != SYS_NO_USER && uid_list_contains(users, from.user))
		return true;
	listener_emit((struct event){ .kind = EVENT_rejected,
			      .always = listener->config->accepted,
			      .cause = "user is not allowed" },
		&client->peer, &from);
	listener->refused++;
	return false;
}

bool
listener_permits(struct listener *listener, const struct address *peer)
{
	if (acl_permits(listener->config->access, peer))
		return true;
	listener_emit((struct event){ .kind = EVENT_rejected,
			      .always = listener->config->accepted,
			      .cause = "denied by access list" },
		peer, NULL);
	listener->refused++;
	return false;
}

/* Finds the sender of the next datagram and hands the socket over. */
static enum io
listener_accept_datagram(
	struct listener *listener, size_t i, int64_t now, struct listener_client *client)
{
	struct listener_socket *socket = &listener->sockets[i];
	client->peer.length = sizeof client->peer.storage;
	if (recvfrom(socket->fd, NULL, 0, MSG_PEEK | MSG_DONTWAIT, &client->peer.any,
		    &client->peer.length) == -1) {
		if (!transport_is_passing(errno))
			listener_pause(listener, "receive", errno, now);
		return IO_AGAIN;
	}
	if (!listener_permits(listener, &client->peer)) {
		(void)recvfrom(socket->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
		return IO_AGAIN;
	}
	client->fd = socket->fd;
	*socket = listener->sockets[--listener->count];
	/* Close the other sockets: their senders get an error instead of no answer. */
	listener_sockets_close(listener);
	return IO_OK;
}

/* Accepts a connection if there are enough descriptors for its session; otherwise leaves it in the
 * queue. -1 with errno. */
static int
listener_take(struct listener *listener, struct listener_socket *socket, struct address *peer)
{
	/* Usually no other client is waiting; poll(2) costs less than the check of descriptors and
	 * an accept(2) that fails. */
	if (socket->again && pollset_look(socket->fd, POLLIN) == 0) {
		errno = EAGAIN;
		return -1;
	}
	socket->again = true;
	if (listener->reserve > 0 && !sys_can_open(listener->reserve + 1)) {
		/* EAGAIN, which is not reported, if no client is waiting. */
		errno = pollset_look(socket->fd, POLLIN) != 0 ? EMFILE : EAGAIN;
		return -1;
	}
	peer->length = sizeof peer->storage;
	return sys_accept(socket->fd, &peer->any, &peer->length);
}

/* Whether the client's address will be in a header. */
static bool
listener_expects_header(const struct listener *listener, const struct address *peer)
{
	const struct proxy_trust *trusted = listener->config->trusted;
	return trusted != NULL && proxy_trust_contains(trusted, peer);
}

/* Whether the client is permitted; if not, resets its connection. */
static bool
listener_admits(struct listener *listener, struct listener_client *client)
{
	if (!client->has_options)
		(void)transport_abort_on_close(listener->config->transport, client->fd, true);
	if ((listener_expects_header(listener, &client->peer) ||
		    listener_permits(listener, &client->peer)) &&
		listener_permits_user(listener, client))
		return true;
	(void)sys_close(&client->fd);
	return false;
}

/* Hands the connection over that was accepted already. */
static enum io
listener_accept_inherited(
	struct listener *listener, struct listener_client *client, struct fault *fault)
{
	if (listener->count == 0)
		return IO_AGAIN;
	*client = (struct listener_client){ .fd = listener->sockets[--listener->count].fd };
	if (!address_of_peer(&client->peer, client->fd)) {
		int error = errno, pending = transport_pending_error(client->fd);
		(void)sys_close(&client->fd);
		return IO_FAULT(fault, STATUS_RECEIVE, pending != 0 ? pending : error,
			"accept the inherited connection");
	}
	if (listener_admits(listener, client))
		return IO_OK;
	(void)fault_set_quiet(fault, STATUS_ACCESS);
	return IO_FAIL;
}

enum io
listener_accept(struct listener *listener, const struct pollset *pollset, int64_t now,
	struct listener_client *client, struct fault *fault)
{
	if (listener->paused != 0 && now >= listener->paused)
		listener->paused = 0;
	if (listener->config->accepted)
		return listener_accept_inherited(listener, client, fault);
	for (size_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];
		if (!pollset_fired(pollset, socket->entry))
			continue;
		*client = (struct listener_client){ .fd = -1 };
		if (!listener->config->transport->connected) {
			if (listener_accept_datagram(listener, i, now, client) == IO_OK)
				return IO_OK;
			continue;
		}
		if (listener->config->listen_fds_count > 0)
			listener_sockets_unblock(socket);
		client->fd = listener_take(listener, socket, &client->peer);
		if (client->fd == -1) {
			if (listener_accept_failed(listener, socket, errno, now, fault) == IO_FAIL)
				return IO_FAIL;
			continue;
		}
		client->has_options = socket->gives_options;
		if (listener_admits(listener, client))
			return IO_OK;
	}
	return IO_AGAIN;
}

void
listener_close(struct listener *listener)
{
	if (listener->config == NULL)
		return;
	if (listener->refused > 0)
		event_emit(&(struct event){
			.kind = EVENT_rejected_total, .rejected = listener->refused });
	unix_path_remove(&listener->file);
	listener_sockets_close(listener);
	resolve_close(&listener->resolve);
	*listener = (struct listener){ .config = NULL };
}
