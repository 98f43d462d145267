/*
 * What to probe, in the order of the command line: hosts and networks with their ports, Unix
 * sockets, and whatever else has an endpoint.
 *
 *     localhost:22,80-90    [::1]:http    10.0.0.0/28:22    [2001:db8::/120]:22    udp://host:53
 *     tls://host:443        unix:/run/x.sock        unix:@name
 */
#ifndef SOCKCAT_NET_TARGETS_H
#define SOCKCAT_NET_TARGETS_H

#include "base/fault.h"
#include "net/cidr.h"
#include "net/endpoint.h"
#include "net/hosts.h"
#include "net/ports.h"
#include "net/transport.h"

/* The most addresses of a network, and the most probes in all. */
#define TARGETS_HOSTS (UINT64_C(1) << 24)
#define TARGETS_PROBES (UINT64_C(1) << 32)

struct target {
	const struct transport *transport;
	struct endpoint endpoint; /* the port: if `ports` is empty */
	struct cidr network;      /* the hosts instead of the endpoint's; size 0: none */
	struct ports ports;
	bool secure; /* by TLS */
};

struct targets {
	struct target *list; /* owned */
	size_t count, capacity;
};

/* How a text without a scheme is read. */
struct targets_rules {
	const struct transport *transport; /* of an IP socket */
	int family;
	const struct hosts *hosts; /* which names are looked up */
	bool secure;               /* all are probed with TLS */
};

/* Adds an empty target. NULL with a fault: out of memory. */
struct target *targets_grow(struct targets *targets, struct fault *fault);

/* Adds what the text names, which is modified and must outlive the targets. Status 3 or 27. */
bool targets_add(struct targets *targets, char *text, const struct targets_rules *rules,
	struct fault *fault);

/* Sets the host of a target: a name, an address or, with a '/', a network. Status 3 or 27. */
bool targets_set_host(
	struct target *target, char *host, const struct targets_rules *rules, struct fault *fault);

/* Whether the text is an endpoint in one word, and not a host that a port follows. */
bool targets_is_word(const char *text);

/* Status 3 if there are more probes than possible. */
bool targets_check(const struct targets *targets, struct fault *fault);

/* The number of its hosts, and of its probes. */
uint64_t targets_hosts(const struct target *target);
uint64_t targets_probes(const struct target *target);

/* Address i of the target's network. */
struct address targets_address(const struct target *target, uint64_t i);

void targets_close(struct targets *targets);

#endif
