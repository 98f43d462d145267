/*
 * The local side of a session with a client of a proxy server: while it opens it reads the client's
 * request, connects to the target and answers; then it becomes the stream of that connection.
 *
 * A refused client gets the answer of its protocol before `open` fails. The end of the connection
 * is then awaited for a while, since a close with unread data would destroy the answer.
 */
#ifndef SOCKCAT_FILTER_PROXY_SERVER_H
#define SOCKCAT_FILTER_PROXY_SERVER_H

#include "base/fault.h"
#include "net/destinations.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/proxy_request.h"
#include "stream/stream.h"

/* Has to outlive the stream. */
struct proxy_server_config {
	unsigned protocols; /* see struct proxy_request_rules; 0: no proxy server */
	bool numeric;       /* names are refused */
	struct proxy_users users;
	struct destinations destinations;
	int64_t limit; /* of the request, a span */
};

/* `client` is open and outlives the opening. `dial`: how to connect, without the target. NULL and a
 * fault if memory runs out. Status of `open` besides those of proxy_filter_dial: 28, 97. */
struct stream *proxy_server_new(const struct proxy_server_config *config,
	const struct proxy_chain *chain, const struct dial_config *dial, struct stream *client,
	int64_t now, struct fault *fault);

void proxy_server_close(struct proxy_server_config *config);

#endif
