/*
 * Clients that arrive: accepted clients of -k whose remote side is opening, in a handshake for
 * example. They do not count for --max-conns, and have a limit of their own: a client above it, or
 * without a descriptor, ends the handshake that has lasted longest. A client whose handshake is
 * over takes a place, or waits for one.
 */
#ifndef SOCKCAT_ENGINE_ARRIVAL_H
#define SOCKCAT_ENGINE_ARRIVAL_H

#include "engine/clients.h"

/* The most handshakes at a time. */
#define ARRIVAL_MAX 128

/* Starts a session with an accepted client; takes ownership of the descriptor. False and a fault
 * end the run. */
bool arrival_begin(struct clients *clients, struct listener_client *peer, struct fault *fault);

/* session_open, for a client of any kind. */
bool arrival_step(struct clients *clients, struct client *client, const struct pollset *pollset);

/* Ends the handshake that has lasted longest. False: there is none. */
bool arrival_make_room(struct clients *clients);

/* The client has a place, or is closed. */
void arrival_end(struct clients *clients, struct client *client);

/* Whether as many clients wait for a place as there may be handshakes. */
static inline bool
arrival_is_full(const struct clients *clients)
{
	return clients->waiting >= ARRIVAL_MAX;
}

/* Whether a client waits for a place, and there is one. */
bool arrival_is_due(const struct clients *clients);

/* Wakes the first of them. */
void arrival_go_on(struct clients *clients);

#endif
