/*
 * Clients whose address is in a header of the PROXY protocol: those that connect from a trusted
 * address (--proxy-from) to a listener with --accept-proxy. Until the header is read the
 * client has no address, and is not accepted: limits and access lists decide about it afterwards.
 */
#ifndef SOCKCAT_ENGINE_ADMISSION_H
#define SOCKCAT_ENGINE_ADMISSION_H

#include "engine/clients.h"

/* Puts a filter on the stream of an accepted client. If it has to send a header, it gets a struct
 * admission. False and a fault if there is no memory. */
bool admission_add(struct clients *clients, struct client *client, struct fault *fault);

/* Adds what the next step waits for. */
void admission_ask(const struct client *client, struct pollset *pollset);

/* One step of a client with a struct admission, which is freed when its address is known. True if
 * the session is over: the fault of the session is set, or the client was rejected. */
bool admission_step(struct clients *clients, struct client *client, const struct pollset *pollset);

/* Enters a client whose address is known in the tables. False and a fault if there is no memory. */
bool admission_enter(struct clients *clients, struct client *client, struct fault *fault);

/* Counts a client that is accepted. */
void admission_count(struct clients *clients);

/* Whether the clients that may still be accepted are as many as no more can be. */
bool admission_is_full(const struct clients *clients);

/* Frees the struct admission, if there is one. */
void admission_end(struct clients *clients, struct client *client);

#endif
