/* The target of a client of a proxy server: a stream that is still to be connected. While it opens
 * it connects and has the client answered; then it becomes the stream of the connection. */
#ifndef SOCKCAT_FILTER_PROXY_TARGET_H
#define SOCKCAT_FILTER_PROXY_TARGET_H

#include "base/fault.h"
#include "filter/proxy_server.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "stream/stream.h"

/* `peer`: the address of the client, for its datagrams. `client`: open, with a filter of
 * proxy_server_add among its streams. `dial`: how to connect, without the target. `chain`: the
 * proxies to connect through; it and the config have to outlive the stream. NULL and a fault if
 * memory runs out. Status of `open`: that of proxy_route_dial. */
struct stream *proxy_target_new(const struct proxy_server_config *config,
	const struct proxy_chain *chain, const struct dial_config *dial, struct stream *client,
	const struct address *peer, struct fault *fault);

#endif
