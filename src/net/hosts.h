/* Addresses of hosts that the user has given (--resolve), used in place of a look-up. */
#ifndef SOCKCAT_NET_HOSTS_H
#define SOCKCAT_NET_HOSTS_H

#include <stddef.h>

#include "base/fault.h"
#include "base/io.h"
#include "net/endpoint.h"
#include "net/resolve.h"

struct hosts_entry {
	char *host; /* owned; "*": any */
	uint16_t port;
	struct resolve found;
};

/* Initially zeroed. */
struct hosts {
	struct hosts_entry *list; /* owned */
	size_t count;
	bool only; /* look up no names: those without an entry are refused */
};

/* Adds HOST:PORT:ADDR[,ADDR...]: a name or "*", a port number, addresses, those of IPv6 optionally
 * in brackets. Status 3 or 27. */
bool hosts_add(struct hosts *hosts, const char *text, struct fault *fault);

/* The addresses for the endpoint's host and port: of the last entry with its name, else of the last
 * one for any name. NULL: there are none, or the endpoint has no name. `hosts` may be NULL. */
const struct resolve *hosts_find(const struct hosts *hosts, const struct endpoint *endpoint);

/* Whether there are addresses for a port of the endpoint's host. `hosts` may be NULL. */
bool hosts_know(const struct hosts *hosts, const struct endpoint *endpoint);

/* Whether a host that is a name cannot be used: names are not looked up, and no address is given
 * for it. `hosts` may be NULL. */
bool hosts_refuse(const struct hosts *hosts, const char *host);

/* Like resolve_start, but uses the addresses given for the host, in their order. */
enum io hosts_resolve(const struct hosts *hosts, struct resolve *resolve,
	const struct endpoint *endpoint, struct fault *fault);

void hosts_close(struct hosts *hosts);

#endif
