/* How a connection to a proxy is made; see proxy_route.h. */
#include "filter/proxy_route.h"

#include <stdlib.h>

#include "filter/proxy_filter.h"
#include "filter/tls_filter.h"
#include "stream/dialled.h"

struct proxy_route *
proxy_route_copy(const struct proxy_route *route)
{
	struct proxy_route *copy = malloc(sizeof *copy);
	if (copy == NULL)
		return NULL;
	*copy = *route;
	/* The first connection takes it. */
	copy->dial.broken = NULL;
	copy->values = proxy_header_copy(&route->header.header);
	if (copy->values == NULL) {
		free(copy);
		return NULL;
	}
	copy->header.header = *copy->values;
	return copy;
}

void
proxy_route_free(struct proxy_route *route)
{
	if (route == NULL)
		return;
	free(route->values);
	free(route);
}

struct stream *
proxy_route_start(
	const struct proxy_route *route, const struct dial_config *dial, struct fault *fault)
{
	struct stream *top = dialled_new(dial, route->single, route->peer, fault);
	if (top == NULL || proxy_sender_add(&top, &route->header, fault))
		return top;
	stream_close(top, false);
	return NULL;
}

/* Puts the TLS of the proxy on top, if it has it. */
static bool
proxy_route_add_tls(
	struct stream **top, const struct proxy_route *route, size_t hop, struct fault *fault)
{
	const struct proxy *proxy = &route->chain->list[hop];
	const struct tls_filter_config tls = {
		.tls = proxy->kind->secure ? route->chain->tls : NULL,
		.name = proxy->endpoint.host,
		.limit = route->dial.wait,
		.hop = true,
	};
	return tls_filter_add(top, &tls, fault);
}

struct stream *
proxy_route_reach(const struct proxy_route *route, size_t hop, struct fault *fault)
{
	const struct proxy_chain *chain = route->chain;
	struct dial_config first = route->dial;
	first.to = chain->list[0].endpoint;
	/* Datagrams are sent beside it. */
	if (!first.transport->connected)
		first.transport = transport_find(TRANSPORT_INET, false, false, -1);
	/* They are for the target. */
	first.destinations = NULL;
	first.error = NULL;
	/* That a proxy refuses connections says nothing about the port. */
	first.brief = false;
	struct stream *top = proxy_route_start(route, &first, fault);
	bool good = top != NULL;
	for (size_t i = 0; good && i <= hop && i < chain->count; i++)
		good = proxy_route_add_tls(&top, route, i, fault) &&
			(i == hop || proxy_filter_add(&top, route, i, fault));
	if (good)
		return top;
	stream_close(top, false);
	(void)fault_set(fault, STATUS_MEMORY, 0, "connect");
	return NULL;
}

struct stream *
proxy_route_dial(const struct proxy_chain *chain, const struct dial_config *dial,
	const struct proxy_sender_config *header, bool single, struct address *peer,
	struct fault *fault)
{
	char id[PROXY_HEADER_UUID];
	struct proxy_route route = {
		.chain = chain, .dial = *dial, .header = *header, .single = single, .peer = peer
	};
	if (header->version == PROXY_HEADER_V2)
		proxy_header_add_id(&route.header.header, id);
	return chain->count == 0 || dial->to.direct
		? proxy_route_start(&route, dial, fault)
		: proxy_route_reach(&route, chain->count, fault);
}
