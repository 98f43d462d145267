/*
 * Digest authentication (RFC 7616) with a proxy: MD5 and SHA-256, without a session, for a request
 * whose body is not covered.
 */
#ifndef SOCKCAT_NET_HTTP_DIGEST_H
#define SOCKCAT_NET_HTTP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

/* The longest value of a parameter, with its NUL, and the longest answer. */
#define HTTP_DIGEST_VALUE 256
#define HTTP_DIGEST_ANSWER 1536

struct http_digest {
	char realm[HTTP_DIGEST_VALUE], nonce[HTTP_DIGEST_VALUE], opaque[HTTP_DIGEST_VALUE];
	const char *algorithm; /* see digest_new; NULL: there is no challenge */
	bool protected;        /* with a value of the client (qop=auth) */
};

/* The user, and the request to log in for. */
struct http_digest_login {
	const char *user, *password;
	const char *method, *target;
	const char *cnonce; /* the random value of the client; NULL: a new one */
};

/* Takes the challenge of a field "WWW-Authenticate: Digest PARAMETERS", if it is stronger than the
 * one that is there and can be answered. Initially zeroed. */
void http_digest_take(struct http_digest *digest, const char *parameters);

/* Writes the credentials: "Digest ...". False: they are too long, the user has control characters,
 * or a digest cannot be computed. */
bool http_digest_answer(const struct http_digest *digest, const struct http_digest_login *login,
	char out[static HTTP_DIGEST_ANSWER]);

#endif
