/* The targets to which a client of a proxy server has sent datagrams, and which may answer: the
 * last 512 that are different. */
#ifndef SOCKCAT_FILTER_UDP_TARGETS_H
#define SOCKCAT_FILTER_UDP_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "net/endpoint.h"

#define UDP_TARGETS_MAX 512

/* Initially zeroed. */
struct udp_targets {
	struct sockaddr_in6 *list; /* owned; IPv4 addresses are mapped */
	size_t count, capacity;
	size_t next; /* with UDP_TARGETS_MAX: the oldest, which is replaced */
};

/* Whether it is one of them, with its port. An address of IPv4 or IPv6. */
bool udp_targets_have(const struct udp_targets *targets, const struct address *target);

/* Adds one that is not among them. False: there is no memory. */
bool udp_targets_add(struct udp_targets *targets, const struct address *target);

/* Frees the list. */
void udp_targets_close(struct udp_targets *targets);

#endif
