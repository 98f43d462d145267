/* Connecting through proxies: a filter for each of the chain, which opens in many steps on a
 * connection to its proxy, asks it for a connection to the next one or the target, and then becomes
 * the stream of that connection. Below it is TLS if the proxy has it. If names are resolved here,
 * and the proxy cannot connect to an address, it is connected to again and asked for the next one.
 * With retries this is done again from the first address on, after a failure that may pass.
 */
#ifndef SOCKCAT_FILTER_PROXY_FILTER_H
#define SOCKCAT_FILTER_PROXY_FILTER_H

#include "base/fault.h"
#include "filter/proxy_route.h"
#include "filter/proxy_sender.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "stream/stream.h"

/*
 * A stream that is still to be connected to the endpoint of the dial, through the proxies of the
 * chain, which has to outlive it; with an empty chain or a direct endpoint, to it. A header of the
 * PROXY protocol is sent before. The other arguments are those of dialled_new. NULL and a fault if
 * memory runs out.
 *
 * Status of `open` besides those of a dial: 5 if the name of a proxy does not resolve, 97.
 */
struct stream *proxy_filter_dial(const struct proxy_chain *chain, const struct dial_config *dial,
	const struct proxy_sender_config *header, bool single, struct address *peer,
	struct fault *fault);

/* Puts the filter of a proxy of the chain on top. False if memory runs out. */
bool proxy_filter_add(
	struct stream **top, const struct proxy_route *route, size_t hop, struct fault *fault);

#endif
