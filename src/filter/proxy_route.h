/* How the connection to a proxy of a chain is made, so that it can be made again. */
#ifndef SOCKCAT_FILTER_PROXY_ROUTE_H
#define SOCKCAT_FILTER_PROXY_ROUTE_H

#include "filter/proxy_sender.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "stream/stream.h"

/* The arguments of proxy_route_dial, which are not owned. */
struct proxy_route {
	const struct proxy_chain *chain;
	struct dial_config dial; /* of the target */
	struct proxy_sender_config header;
	bool single;
	struct address *peer;
	struct proxy_header *values; /* owned by a copy: what the header points into */
};

/* A copy; NULL if there is no memory. */
struct proxy_route *proxy_route_copy(const struct proxy_route *route);

/* Frees a copy; NULL is allowed. */
void proxy_route_free(struct proxy_route *route);

/* The stream of a connection to the endpoint of the dial, which still has to open; it sends the
 * header. NULL and a fault if memory runs out. */
struct stream *proxy_route_start(
	const struct proxy_route *route, const struct dial_config *dial, struct fault *fault);

/* The same of the connection to a proxy of the chain, with its TLS; behind the last one, to the
 * target. */
struct stream *proxy_route_reach(const struct proxy_route *route, size_t hop, struct fault *fault);

/*
 * A stream that is still to be connected to the endpoint of the dial, through the proxies of the
 * chain, which has to outlive it; with an empty chain or a direct endpoint, to it. A header of the
 * PROXY protocol is sent before. The other arguments are those of dialled_new. NULL and a fault if
 * memory runs out.
 *
 * Status of `open` besides those of a dial: 5 if the name of a proxy does not resolve, 97.
 */
struct stream *proxy_route_dial(const struct proxy_chain *chain, const struct dial_config *dial,
	const struct proxy_sender_config *header, bool single, struct address *peer,
	struct fault *fault);

#endif
