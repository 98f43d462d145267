/*
 * The cookies of a server of datagrams (RFC 6347, 4.2.1): a client whose address may be forged gets
 * an answer that is not larger than its request, and no memory, until it has sent back a code that
 * only a receiver at this address knows.
 */
#ifndef SOCKCAT_PLUGIN_OPENSSL_LISTEN_H
#define SOCKCAT_PLUGIN_OPENSSL_LISTEN_H

#include "plugin/openssl_session.h"

/* What a code depends on besides the secret. */
struct openssl_listen {
	const void *peer; /* the address */
	size_t peer_size;
	int64_t now;
};

/* For the context of a server. False and a fault if there are no random bytes. */
bool openssl_listen_set_up(struct openssl_context *context, struct fault *fault);

/* See struct tls_ops. */
bool openssl_listen_look(void *session, const void *peer, size_t peer_size, int64_t now);

#endif
