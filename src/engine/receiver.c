/* The receiver of datagrams; see receiver.h. */
#include "engine/receiver.h"

#include <errno.h>
#include <stdlib.h>

#include "base/event.h"
#include "engine/arrival.h"
#include "engine/limits.h"
#include "sys/sys.h"

/* The most messages of one socket before the sessions have a turn. */
#define RECEIVER_TURN (4 * BATCH_MAX)

bool
receiver_open(struct receiver *receiver, const struct clients *clients, struct fault *fault)
{
	const struct config *config = clients->run->config;
	const struct listener *listener = clients->listener;
	*receiver = (struct receiver){ .slots = 1, .slot = BATCH_SLOT };
	if (config->transport->names == TRANSPORT_INET) {
		receiver->slots = BATCH_MAX;
		/* Other processes may share an inherited socket. */
		for (size_t i = 0; i < listener->count && config->listen_fds_count == 0; i++)
			(void)sys_join_received(listener->sockets[i].fd, true);
	}
	receiver->space = malloc(receiver->slots * receiver->slot);
	return receiver->space != NULL || fault_set(fault, STATUS_MEMORY, ENOMEM, "receive");
}

void
receiver_close(struct receiver *receiver)
{
	free(receiver->space);
	receiver->space = NULL;
}

bool
receiver_is_open(const struct clients *clients)
{
	return !clients->interrupted &&
		(clients->full == 0 || (!clients->sole && clients->run->config->slow != BUS_WAIT));
}

/* No more clients are accepted. Datagrams of others are counted where there is one client. */
static void
receiver_ignore(const struct clients *clients, const struct address *from)
{
	struct peer *peer = clients->sole && clients->first != NULL ? clients->first->peer : NULL;
	if (peer == NULL || peer->stream->stats.ignored++ > 0)
		return;
	char *other = address_print(from);
	event_emit(&(struct event){
		.kind = EVENT_sender_ignored, .object = other, .peer = peer->stream->name });
	free(other);
}

/* Whether a limit rejects a sender: a new one, or one that replaces a session of its own. After a
 * handshake it will take a place, or wait for one. */
static bool
receiver_rejects(struct clients *clients, struct listener_client *sender, bool replaces)
{
	if (limits_reject_by_host(clients, &sender->peer, replaces))
		return true;
	if (greeter_is_needed(&clients->greeter))
		return arrival_is_full(clients);
	if (limits_reached(clients) && !clients->run->config->refuse)
		limits_make_room(clients);
	return limits_reject(clients, sender);
}

/* Whether a datagram of a client may begin another session with it. */
static bool
receiver_restarts(const struct clients *clients, const struct client *client,
	const struct batch_datagram *datagram)
{
	return !clients->closing && client->session.state != SESSION_OPENING &&
		greeter_is_other(&clients->greeter, datagram, client->hello);
}

/* Finds or starts the session of a sender; NULL: the datagram is ignored, or was used. False and a
 * fault only if no session can continue. */
static bool
receiver_find(struct receiver *receiver, struct clients *clients,
	const struct batch_datagram *datagram, struct client **client, struct fault *fault)
{
	const struct sys_message *message = datagram->message;
	struct listener_client sender = { .fd = -1,
		.peer = { { message->from }, message->from_length } };
	struct client *known = *client = clients_find(clients, &sender.peer);
	if (known != NULL && !receiver_restarts(clients, known, datagram))
		return true;
	*client = NULL;
	if (clients->closing) {
		receiver_ignore(clients, &sender.peer);
		return true;
	}
	if (!greeter_meets(&clients->greeter, receiver->fd, datagram, clients->run->engine.now) ||
		!listener_permits(clients->listener, &sender.peer) ||
		receiver_rejects(clients, &sender, known != NULL))
		return true;
	if (known != NULL)
		clients_release(clients, known);
	if (!arrival_begin(clients, &sender, fault))
		return false;
	if (!clients->greeter.used)
		*client = clients_find(clients, &sender.peer);
	return true;
}

/* Whether a datagram may be for the session. With DTLS any host can forge one; sent to another
 * address of this host, it would change the one that answers come from. */
static bool
receiver_suits(
	const struct clients *clients, const struct client *client, const struct address *own)
{
	return !greeter_is_needed(&clients->greeter) || address_equal(own, &client->peer->own);
}

/* Delivers a datagram to the session of its sender. */
static bool
receiver_deliver(struct receiver *receiver, struct clients *clients,
	const struct batch_datagram *datagram, struct fault *fault)
{
	const struct sys_message *message = datagram->message;
	const struct address own = { { message->at }, message->at_length };
	struct client *client;
	if (!receiver_find(receiver, clients, datagram, &client, fault))
		return false;
	if (client == NULL || clients_has_ended(client) || !receiver_suits(clients, client, &own))
		return true;
	switch (peer_take(client->peer, receiver->fd, &own, datagram->bytes, datagram->length)) {
	case PEER_TAKEN:
		engine_wake(&clients->run->engine, &client->task);
		break;
	case PEER_FULL:
		clients_overflow(clients, client);
		break;
	case PEER_LOST:
		event_emit(&(struct event){ .kind = EVENT_datagram_lost,
			.peer = client->session.remote->name,
			.cause = "out of memory" });
		clients->failed++;
		break;
	}
	return true;
}

/* Delivers the datagrams until more than `full` peers have no room: those have a turn before a
 * datagram is dropped. */
static bool
receiver_deliver_all(
	struct receiver *receiver, struct clients *clients, size_t full, struct fault *fault)
{
	struct batch_datagram datagram;
	while (clients->full <= full && batch_next(&receiver->batch, &datagram)) {
		if (datagram.message->truncated) {
			event_emit(&(struct event){
				.kind = EVENT_datagram_truncated, .total = receiver->slot });
			clients->failed++;
		} else if (!receiver_deliver(receiver, clients, &datagram, fault)) {
			return false;
		}
	}
	return true;
}

/* Makes the only slot large enough for the next datagram. False with errno. */
static bool
receiver_grow(struct receiver *receiver, int fd)
{
	size_t length;
	if (!sys_next_length(fd, &length))
		return errno == EOPNOTSUPP;
	if (length <= receiver->slot)
		return true;
	unsigned char *larger = realloc(receiver->space, length);
	if (larger == NULL)
		return false;
	receiver->space = larger;
	receiver->slot = length;
	return true;
}

/* Receives up to one message for each slot. False with errno. */
static bool
receiver_read(struct receiver *receiver, int fd)
{
	receiver->fd = fd;
	return (receiver->slots > 1 || receiver_grow(receiver, fd)) &&
		batch_receive(
			&receiver->batch, fd, receiver->space, receiver->slot, receiver->slots);
}

/* Receives what one socket has. */
static bool
receiver_drain(struct receiver *receiver, struct clients *clients, int fd, size_t full,
	struct fault *fault)
{
	size_t calls = RECEIVER_TURN / receiver->slots;
	for (size_t i = 0; i < calls && clients->full <= full && receiver_is_open(clients); i++) {
		if (!receiver_read(receiver, fd)) {
			int error = errno;
			if (sys_would_block(error))
				return true;
			/* A pending network error for an earlier datagram does not repeat. */
			if (transport_is_passing(error) && i < calls - 1)
				continue;
			listener_pause(
				clients->listener, "receive", error, clients->run->engine.now);
			return true;
		}
		bool last = receiver->batch.count < receiver->slots;
		if (!receiver_deliver_all(receiver, clients, full, fault))
			return false;
		if (last)
			return true;
	}
	return true;
}

bool
receiver_step(struct receiver *receiver, struct clients *clients, const struct pollset *pollset,
	struct fault *fault)
{
	struct listener *listener = clients->listener;
	size_t full = clients->full;
	if (receiver_is_open(clients) && !receiver_deliver_all(receiver, clients, full, fault))
		return false;
	if (listener->paused != 0 && clients->run->engine.now >= listener->paused)
		listener->paused = 0;
	for (size_t i = 0; i < listener->count && listener->paused == 0; i++)
		if (!batch_is_pending(&receiver->batch) &&
			pollset_fired(pollset, listener->sockets[i].entry) &&
			!receiver_drain(receiver, clients, listener->sockets[i].fd, full, fault))
			return false;
	return true;
}

bool
receiver_flush(struct receiver *receiver, struct clients *clients, struct fault *fault)
{
	return receiver_deliver_all(receiver, clients, SIZE_MAX, fault);
}

void
receiver_report(const struct clients *clients, bool asked)
{
	const struct listener *listener = clients->listener;
	uint64_t all = 0;
	for (size_t i = 0; clients->datagrams && i < listener->count; i++) {
		uint64_t count = 0;
		if (sys_dropped(listener->sockets[i].fd, &count))
			all += count;
	}
	if (all > 0)
		event_emit(&(struct event){
			.kind = EVENT_kernel_drops, .always = asked, .dropped = all });
}
