/*
 * DTLS on top of a stream of datagrams, by the plug-in of plugin/tls.h. A message is a record, and
 * a record is a datagram: messages may be lost, and arrive in another order.
 *
 * The end of sending is not sent before the filter is closed: a peer answers close_notify by
 * closing, without the answers that are still awaited. That of the peer ends the reading, and
 * proves nothing: what was sent before may be lost, or arrive later.
 */
#ifndef SOCKCAT_FILTER_DTLS_FILTER_H
#define SOCKCAT_FILTER_DTLS_FILTER_H

#include "filter/tls_filter.h"

/* The most bytes of a message that is for peers at any address: the packets of every path are at
 * least 1280 bytes long (RFC 8200). */
#define DTLS_FILTER_ANY ((size_t)1152)

/* Puts the filter on top. `session`: of the plug-in, with a handshake that has begun, which is
 * taken, also when there is no memory; NULL: the filter makes one. The config is copied; what it
 * points to has to outlive the filter. False and a fault if there is no memory. */
bool dtls_filter_add(struct stream **top, const struct tls_filter_config *config, void *session,
	struct fault *fault);

/* tls_filter_describe for a stream without TLS over bytes. */
bool dtls_filter_describe(const struct stream *top, struct tls_facts *facts);

#endif
