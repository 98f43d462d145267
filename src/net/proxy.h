/*
 * Proxies to connect through, in the order in which they are used: a chain.
 *
 *     socks5://[user@]host[:port]  socks5h://  socks4://  socks4a://  http://  https://
 *
 * In the user, %XX is a byte. Names are resolved here with socks5 and socks4, by the proxy with the
 * others.
 */
#ifndef SOCKCAT_NET_PROXY_H
#define SOCKCAT_NET_PROXY_H

#include "base/fault.h"
#include "net/endpoint.h"
#include "net/handshake.h"
#include "net/hosts.h"
#include "plugin/tls.h"

struct proxy_kind {
	const char *scheme;
	const struct handshake_protocol *protocol;
	uint16_t port; /* if none is given */
	bool resolves; /* names are resolved here */
	bool secure;   /* TLS to the proxy */
	int family;    /* of the addresses that it can be asked for */
};

struct proxy {
	const struct proxy_kind *kind;
	struct endpoint endpoint; /* its host points into `text` */
	char *text;               /* owned: the URL, cut into pieces */
	char *name;               /* owned: "host:port" */
	const char *user;         /* not owned; NULL: none */
	const char *password;     /* not owned; NULL: none */
	bool resolves;            /* names are resolved here */
};

/* A list of targets (noproxy.h), which is not owned. */
struct proxy_exceptions {
	const char *list;
	bool lenient;
};

/* Initially zeroed. */
struct proxy_chain {
	struct proxy *list; /* owned */
	size_t count;
	char *logins;        /* owned: what users and passwords may point into; NULL: nothing */
	struct tls *tls;     /* owned: of the secure proxies; NULL: there are none */
	const char **fields; /* owned, not what it points to: see struct handshake_request */
	size_t field_count;
	bool digest;                         /* log in to HTTP proxies with Digest */
	struct proxy_exceptions *exceptions; /* owned: lists of targets connected to directly */
	size_t exception_count;
};

/* How a proxy is read. */
struct proxy_rules {
	const char *kind;          /* the scheme if the text has none */
	int family;                /* of its addresses */
	const struct hosts *hosts; /* which names are looked up */
	bool secret;               /* the text may have a password */
};

/* Adds a proxy: a URL, or host[:port]. Status 3 or 27. */
bool proxy_add(struct proxy_chain *chain, const char *text, const struct proxy_rules *rules,
	struct fault *fault);

/* What the proxy i of the chain is asked to connect to: the next one, or the target. */
static inline const struct endpoint *
proxy_next(const struct proxy_chain *chain, size_t i, const struct endpoint *target)
{
	return i + 1 < chain->count ? &chain->list[i + 1].endpoint : target;
}

/* Adds a list of targets that are connected to directly; see noproxy_find. Status 3 or 27. */
bool proxy_add_exceptions(
	struct proxy_chain *chain, const char *list, bool lenient, struct fault *fault);

/* Makes the target direct if a list has it. Status 27. */
bool proxy_except(const struct proxy_chain *chain, struct endpoint *target, struct fault *fault);

/* Adds a field to the requests to HTTP proxies: "NAME: VALUE" (RFC 9110, 5), which is not copied.
 * Status 3 or 27. */
bool proxy_add_field(struct proxy_chain *chain, const char *text, struct fault *fault);

/* Whether a proxy is secure. */
bool proxy_chain_is_secure(const struct proxy_chain *chain);

void proxy_close(struct proxy_chain *chain);

#endif
