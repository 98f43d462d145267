/* The limits on clients; see limits.h. */
#include "engine/limits.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/service.h"
#include "program/child.h"
#include "sys/sys.h"

/* Descriptors that a resolver thread may have open, those of the C library's modules included. */
#define LIMITS_RESOLVER 4

/* Descriptors of the file of --out: the file, its directory, and a pipe to the thread that stores
 * it. */
#define LIMITS_FILE 4

bool
limits_reached(const struct clients *clients)
{
	const struct config *config = clients->run->config;
	return clients->count - clients->arriving + resolve_abandoned() >= config->max_conns ||
		child_count() >= config->max_children;
}

size_t
limits_reserve(const struct clients *clients)
{
	const struct config *config = clients->run->config;
	size_t descriptors =
		config->service->descriptors + (config->files.out != NULL ? LIMITS_FILE : 0);
	return clients->sole || descriptors == 0
		? 0
		: descriptors + (resolve_lookups() + 1) * LIMITS_RESOLVER;
}

/* Whether --max-conns-per-host is reached, with another client that replaces some. */
static bool
limits_reached_by_host(const struct clients *clients, const struct address *peer, uint64_t replaced)
{
	uint64_t max = clients->run->config->max_per_host;
	return max > 0 && addr_table_count(&clients->per_host, peer) >= max + replaced;
}

void
limits_report(struct clients *clients, const struct address *peer, bool by_host)
{
	char *name = address_print(peer);
	event_emit(&(struct event){ .kind = EVENT_rejected,
		.peer = name,
		.cause = by_host ? "too many clients from its address (--max-conns-per-host)"
				 : "too many clients (--max-conns)" });
	free(name);
	clients->refused++;
}

bool
limits_reject_by_host(struct clients *clients, const struct address *peer, uint64_t replaced)
{
	if (!limits_reached_by_host(clients, peer, replaced))
		return false;
	limits_report(clients, peer, true);
	return true;
}

bool
limits_reject(struct clients *clients, struct listener_client *peer)
{
	bool by_host = !config_trusts(clients->run->config, &peer->peer) &&
		limits_reached_by_host(clients, &peer->peer, 0);
	if (!limits_reached(clients) && !by_host)
		return false;
	limits_report(clients, &peer->peer, by_host);
	(void)sys_close(&peer->fd);
	return true;
}

void
limits_make_room(struct clients *clients)
{
	struct client *oldest = NULL;
	int64_t since = CLOCK_NEVER;
	size_t count = clients->count - clients->arriving;
	/* A program that is being terminated will free a place. */
	if (count < clients->run->config->max_conns && count < child_count())
		return;
	for (struct client *client = clients->first; client != NULL; client = client->next) {
		int64_t moved = session_moved_at(&client->session);
		if (client == clients->chat_operator || client->session.held ||
			session_is_mid_message(&client->session) || moved > since)
			continue;
		oldest = client;
		since = moved;
	}
	if (oldest != NULL)
		clients_replace(clients, oldest);
}
