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
#include "stream/stream.h"

/* Puts the filter of a proxy of the chain on top. False if memory runs out. */
bool proxy_filter_add(
	struct stream **top, const struct proxy_route *route, size_t hop, struct fault *fault);

#endif
