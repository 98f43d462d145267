/*
 * Endpoints written as one argument: "host:port", "[::1]:port", "tcp://host:port",
 * "udp://host:port", "unix:/path", "unix:@name", "vsock://cid:port", "fd://N".
 *
 * Nothing is decoded: a path is everything after "unix:". The parts are validated by endpoint.h.
 */
#ifndef SOCKCAT_NET_ENDPOINT_URI_H
#define SOCKCAT_NET_ENDPOINT_URI_H

#include "base/fault.h"

enum endpoint_uri_scheme {
	ENDPOINT_URI_PLAIN,
	ENDPOINT_URI_TCP,
	ENDPOINT_URI_TLS,
	ENDPOINT_URI_DTLS,
	ENDPOINT_URI_UDP,
	ENDPOINT_URI_UNIX,
	ENDPOINT_URI_VSOCK,
	ENDPOINT_URI_FD
};

struct endpoint_uri {
	enum endpoint_uri_scheme scheme;
	const char *prefix; /* the scheme as written, or "" */
	char *host;         /* host, context ID, path or descriptor; NULL: any host */
	char *port;         /* NULL: none */
};

/* Whether the text may be an endpoint rather than a host or port alone: it has a colon. */
bool endpoint_uri_is_likely(const char *text);

/* Whether the text begins with a scheme, known or unknown. */
bool endpoint_uri_has_scheme(const char *text);

/* Splits the text in place; the parts point into it. `any`: the host may be empty, as in ":80".
 * Status 3. Messages do not show the part before
 * an '@', which may be a password. */
bool endpoint_uri_split(struct endpoint_uri *uri, char *text, bool any, struct fault *fault);

#endif
