/* The addresses of proxies whose PROXY protocol headers are accepted. */
#ifndef SOCKCAT_NET_PROXY_TRUST_H
#define SOCKCAT_NET_PROXY_TRUST_H

#include "base/fault.h"
#include "net/cidr.h"

/* Initially zeroed: loopback addresses and Unix sockets. */
struct proxy_trust {
	struct cidr *list; /* owned */
	size_t count;
	bool given; /* only what was added */
	bool local; /* Unix sockets were added */
};

/* Adds networks, and the word "unix", separated by commas. Status 3 or 27. */
bool proxy_trust_add(struct proxy_trust *trust, const char *text, struct fault *fault);

bool proxy_trust_contains(const struct proxy_trust *trust, const struct address *peer);

void proxy_trust_close(struct proxy_trust *trust);

#endif
