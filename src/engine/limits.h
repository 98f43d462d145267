/* The limits on clients: --max-conns, --max-conns-per-host, --max-children. */
#ifndef SOCKCAT_ENGINE_LIMITS_H
#define SOCKCAT_ENGINE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/clients.h"

/* Whether --max-conns or --max-children is reached. Clients that arrive (arrival.h) do not count.
 * Abandoned look-ups of clients that have left count against --max-conns until getaddrinfo(3)
 * returns, which nothing reports: poll for it. */
bool limits_reached(const struct clients *clients);

/* The descriptors that another client needs besides its own. */
size_t limits_reserve(const struct clients *clients);

/* Counts and reports a client that is rejected, because of --max-conns-per-host or another limit.
 */
void limits_report(struct clients *clients, const struct address *peer, bool by_host);

/* Reports a client above --max-conns-per-host; false if there is room. `replaced`: how many of the
 * clients from its address it replaces. */
bool limits_reject_by_host(struct clients *clients, const struct address *peer, uint64_t replaced);

/* Rejects a client above a limit; false if there is room. */
bool limits_reject(struct clients *clients, struct listener_client *peer);

/* Ends the session of the peer with the longest silence to make room for another one. */
void limits_make_room(struct clients *clients);

#endif
