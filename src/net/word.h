/*
 * Endpoints written as one word, and taken apart: "host:port", "[::1]:port", "tcp://host:port",
 * "udp://host:port", "unix:/path", "unix:@name", "vsock://cid:port", "fd://N".
 *
 * Nothing is decoded and no character has a second meaning: a path is all that follows "unix:".
 * What the parts are worth is endpoint.h's to say.
 */
#ifndef SOCKCAT_NET_WORD_H
#define SOCKCAT_NET_WORD_H

#include <stdbool.h>

#include "base/fault.h"

enum word_scheme { WORD_PLAIN, WORD_TCP, WORD_UDP, WORD_UNIX, WORD_VSOCK, WORD_FD };

struct word {
	enum word_scheme scheme;
	const char *prefix; /* the scheme as it is written; "" if there is none */
	char *host;         /* host, context number, path or descriptor */
	char *port;         /* NULL where there is none */
};

/* Whether the text may be an endpoint, rather than a host or a port alone: it has a colon, which
 * could part the two. */
bool word_is_one(const char *text);

/* Whether it begins with a scheme, known or not. */
bool word_has_scheme(const char *text);

/* Takes the text apart: it is cut in place, and the parts point into it. Status 3. What stands
 * before an '@' may be a password, and is never repeated. */
bool word_split(struct word *word, char *text, struct fault *fault);

#endif
