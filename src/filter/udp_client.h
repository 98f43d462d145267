/*
 * The datagrams of a client of a proxy server (UDP ASSOCIATE): a filter on top of the connection of
 * the request. A read is a datagram with its header (socks_udp.h), which has been checked; a write
 * is one for the client. The stream ends when the connection ends; its other data is discarded.
 *
 * Only datagrams from the address of the client are accepted, and only from the port of the first
 * one, or that of the request. All others are dropped and counted.
 */
#ifndef SOCKCAT_FILTER_UDP_CLIENT_H
#define SOCKCAT_FILTER_UDP_CLIENT_H

#include "base/fault.h"
#include "net/endpoint.h"
#include "stream/stream.h"

/* The largest message, with its header. */
#define UDP_CLIENT_MESSAGE ((size_t)65536)

/* Turns the open stream into the filter. `fd`: the bound socket, which is taken if that succeeds.
 * `client`: its address; port 0: that of the first datagram. False and a fault if there is no
 * memory. */
bool udp_client_insert(
	struct stream *stream, int fd, const struct address *client, struct fault *fault);

#endif
