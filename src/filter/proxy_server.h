/*
 * The client's side of a proxy server: a filter that opens by reading the client's request, and
 * answers it when the target is connected (proxy_target.h); then it becomes the stream below.
 *
 * A refused client gets the answer of its protocol before `open` fails. The end of the connection
 * is then awaited for a while, since a close with unread data would destroy the answer.
 */
#ifndef SOCKCAT_FILTER_PROXY_SERVER_H
#define SOCKCAT_FILTER_PROXY_SERVER_H

#include "base/fault.h"
#include "net/destinations.h"
#include "net/proxy_request.h"
#include "stream/stream.h"

/* Has to outlive the stream. */
struct proxy_server_config {
	unsigned protocols; /* see struct proxy_request_rules; 0: no proxy server */
	bool numeric;       /* names are refused */
	bool datagrams;     /* SOCKS5 may ask to relay datagrams */
	struct proxy_users users;
	struct destinations destinations;
	int64_t limit; /* of the request, a span */
};

/* Puts the filter on top; nothing without protocols. False and a fault if there is no memory.
 * Status of `open`: 28, 97. */
bool proxy_server_add(
	struct stream **top, const struct proxy_server_config *config, struct fault *fault);

/* The filter among the streams below, or this one; there has to be one. */
struct stream *proxy_server_find(struct stream *top);

/* The request of an open filter. */
const struct proxy_request *proxy_server_request(const struct stream *filter);

/* The address to which the client has to send its datagrams, for the answer. */
void proxy_server_bind(struct stream *filter, const struct address *bound);

/* Begins to answer; *fault is why the client is refused, and is taken. */
void proxy_server_answer(struct stream *filter, enum proxy_request_outcome outcome, int64_t now,
	struct fault *fault);

/* A step of answering: IO_OK: the client has been sent that its target is connected, and the filter
 * has become the stream below; IO_FAIL: it was refused; IO_AGAIN: see proxy_server_ask. */
enum io proxy_server_step(struct stream *filter, int64_t now, struct fault *fault);

/* Asks for what the next step needs. */
void proxy_server_ask(const struct stream *filter, struct pollset *pollset);

void proxy_server_close(struct proxy_server_config *config);

#endif
