/* Clients that arrive; see arrival.h. */
#include "engine/arrival.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/admission.h"
#include "engine/limits.h"
#include "engine/service.h"
#include "stream/datagram.h"
#include "stream/socket.h"
#include "sys/sys.h"

/* A client that has arrived: takes a place, waits for one, or is rejected. True if its session is
 * over. */
static bool
arrival_admit(struct clients *clients, struct client *client)
{
	if (clients->datagrams && limits_reached(clients) && !clients->run->config->refuse)
		limits_make_room(clients);
	if (!limits_reached(clients)) {
		arrival_end(clients, client);
		return false;
	}
	if (clients->run->config->refuse) {
		limits_report(clients, &client->session.peer, false);
		return true;
	}
	clients->waiting += !client->waits;
	client->waits = true;
	return false;
}

bool
arrival_step(struct clients *clients, struct client *client, const struct pollset *pollset)
{
	struct session *session = &client->session;
	bool over = false;
	if (client->admission != NULL) {
		over = admission_step(clients, client, pollset);
		if (!over && client->admission != NULL)
			return false;
		pollset = NULL;
	}
	const struct service_context context = clients_context(clients, client);
	if (!over)
		over = session_open(session, &context, pollset);
	if (!over && session_is_held(session)) {
		over = arrival_admit(clients, client);
		if (!session->held)
			over = session_open(session, &context, pollset);
	}
	clients->unopened += over && session->held && fault_is_set(&session->fault);
	return over;
}

void
arrival_end(struct clients *clients, struct client *client)
{
	clients->arriving -= client->session.held;
	clients->waiting -= client->waits;
	client->session.held = client->waits = false;
}

/* The first that arrived of those that wait for a place, or of the others; NULL: none. */
static struct client *
arrival_find(const struct clients *clients, bool waits)
{
	struct client *found = NULL;
	for (struct client *client = clients->first; client != NULL; client = client->next)
		if (client->session.held && client->waits == waits)
			found = client;
	return found;
}

bool
arrival_make_room(struct clients *clients)
{
	struct client *client = arrival_find(clients, false);
	struct fault fault = FAULT_NONE;
	if (client == NULL)
		return false;
	event_enter(client->session.id);
	(void)stream_take_verdict(client->session.remote, &fault);
	(void)fault_set(&fault, STATUS_TIMEOUT, 0,
		"accept %s: handshake ended for other clients (%zu at a time)",
		client->session.remote->name, clients->arriving - clients->waiting);
	clients->unopened++;
	clients_forget(clients, client);
	return clients_survives(clients, &fault);
}

bool
arrival_is_due(const struct clients *clients)
{
	return clients->waiting > 0 && !limits_reached(clients);
}

void
arrival_go_on(struct clients *clients)
{
	if (arrival_is_due(clients))
		engine_wake(&clients->run->engine, &arrival_find(clients, true)->task);
}

/* Creates the stream of an accepted client; takes ownership of the descriptor and the name. */
static bool
arrival_init(struct clients *clients, struct client *client, struct listener_client *peer,
	char *name, struct fault *fault)
{
	const struct config *config = clients->run->config;
	if (config->transport->connected)
		client->session.remote = socket_new(config->transport, peer->fd,
			(config->accepted ? SOCKET_UNKNOWN : SOCKET_OWN | SOCKET_MADE) |
				(peer->has_options ? SOCKET_HAS_OPTIONS : SOCKET_UNKNOWN),
			0, name, fault);
	else if (clients->datagrams)
		client->peer = peer_new(clients->message_max, &client->session.peer, config->queue,
			&clients->full, name, fault);
	else
		client->session.remote = datagram_new(config->transport, peer->fd, name,
			DATAGRAM_FIRST, &peer->peer, config_reads_single(config), fault);
	if (client->peer != NULL) {
		client->session.remote = client->peer->stream;
		client->session.greeted = greeter_take(&clients->greeter, client->peer);
		client->hello = clients->greeter.hello;
	}
	return client->session.remote != NULL && admission_add(clients, client, fault) &&
		(client->admission != NULL || admission_enter(clients, client, fault));
}

bool
arrival_begin(struct clients *clients, struct listener_client *peer, struct fault *fault)
{
	struct run *run = clients->run;
	if (clients->arriving >= ARRIVAL_MAX)
		(void)arrival_make_room(clients);
	struct client *client = clients_add(clients);
	char *name = address_print(&peer->peer);
	uint64_t id = ++run->sessions;
	event_enter(id);
	if (!config_trusts(run->config, &peer->peer)) {
		listener_report(peer->fd, &peer->peer, run->config->transport, NULL, NULL);
		admission_count(clients);
	}
	if (client == NULL) {
		free(name);
		(void)sys_close(&peer->fd);
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
		return clients_survives(clients, fault);
	}
	client->session.id = id;
	client->session.peer = peer->peer;
	clients->count++;
	client->session.held =
		!clients->sole && (!clients->datagrams || greeter_is_needed(&clients->greeter));
	clients->arriving += client->session.held;
	bool good = arrival_init(clients, client, peer, name, fault);
	clients->empty_since = CLOCK_NEVER;
	good = good && clients_start(clients, client, fault);
	/* A client that was rejected at once has no task. */
	if (good && client->task.ops != NULL)
		return true;
	clients_forget(clients, client);
	return good || clients_survives(clients, fault);
}
