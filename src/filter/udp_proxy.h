/*
 * Datagrams to one target through a SOCKS5 proxy (UDP ASSOCIATE): a filter on top of the connection
 * to the proxy, which has agreed to relay them. A write is sent to the proxy behind a header with
 * the target; a read is what the target has sent. If the connection ends, the stream fails.
 */
#ifndef SOCKCAT_FILTER_UDP_PROXY_H
#define SOCKCAT_FILTER_UDP_PROXY_H

#include "base/fault.h"
#include "net/endpoint.h"
#include "net/proxy.h"
#include "net/sockopt.h"
#include "stream/stream.h"

struct udp_proxy_config {
	struct address relay;  /* where the proxy receives; an unspecified address is that of the
				  connection; length 0: not known */
	struct address target; /* length 0: the proxy resolves the name */
	struct endpoint to;    /* the target as it was written */
	const struct sockopts *options; /* of the socket */
	const struct proxy *proxy;      /* has to outlive the stream */
};

/* Turns the open stream of the connection into the filter. False and a fault: status 4, 27, 45 or
 * 97. */
bool udp_proxy_insert(
	struct stream *stream, const struct udp_proxy_config *config, struct fault *fault);

#endif
