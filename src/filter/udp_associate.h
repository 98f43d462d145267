/*
 * The targets of a client's datagrams (UDP ASSOCIATE): the local side of its session. While the
 * stream opens it binds the socket for the client, has it answered, and turns the client's stream
 * into that of its datagrams (udp_client.h).
 *
 * A write sends a datagram to the target in its header, if that is allowed; a read is a datagram of
 * one of these targets, with a header. All others are dropped and counted.
 */
#ifndef SOCKCAT_FILTER_UDP_ASSOCIATE_H
#define SOCKCAT_FILTER_UDP_ASSOCIATE_H

#include "base/fault.h"
#include "filter/proxy_server.h"
#include "net/hosts.h"
#include "stream/stream.h"

/* `client`: open, with a filter of proxy_server_add among its streams, whose request is for
 * datagrams. `peer`: its address. The config and the hosts have to outlive the stream. NULL and a
 * fault if memory runs out. Status of `open`: 27, 97 and 101. */
struct stream *udp_associate_new(const struct proxy_server_config *config,
	const struct hosts *hosts, struct stream *client, const struct address *peer,
	struct fault *fault);

#endif
