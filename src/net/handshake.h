/*
 * The opening conversation with a proxy, without I/O: sends and answers by turns, until the proxy
 * has connected to the target or refused.
 *
 *     handshake_start(&handshake, protocol, &request)
 *     send all of out; read `wants` bytes, in any pieces; handshake_take(&handshake, bytes, n)
 *     ... until the result is neither HANDSHAKE_MORE nor HANDSHAKE_AGAIN
 *
 * No byte behind the answer is ever wanted, so that the tunnel loses none.
 */
#ifndef SOCKCAT_NET_HANDSHAKE_H
#define SOCKCAT_NET_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/endpoint.h"
#include "net/http_digest.h"

/* The longest name of a user, and password (RFC 1929: a length is one byte). */
#define HANDSHAKE_SECRET_MAX 255

/* All requests together, and the longest part of an answer that is looked at as a whole. */
#define HANDSHAKE_OUT 6144
#define HANDSHAKE_IN 264

enum handshake_result {
	HANDSHAKE_MORE,     /* send `out` if it has become longer, read `wants` bytes */
	HANDSHAKE_AGAIN,    /* the same on another connection to the proxy */
	HANDSHAKE_DONE,     /* connected */
	HANDSHAKE_REFUSED,  /* by the proxy */
	HANDSHAKE_TARGET,   /* the proxy could not connect to the target */
	HANDSHAKE_MALFORMED /* the answer is not of the protocol */
};

/* What the proxy is asked for. The pointers have to outlive the handshake. */
struct handshake_request {
	const char *host;              /* a name, or an address as text */
	uint16_t port;                 /* of the target */
	const struct address *address; /* of the target; NULL: the proxy resolves `host` */
	bool datagrams;                /* SOCKS5: ask to relay datagrams, whatever the target is */
	const char *user, *password;   /* NULL: none */
	const char *const *fields;     /* more of an HTTP request, "NAME: VALUE" */
	size_t field_count;
	bool digest;        /* HTTP: log in with Digest, when the proxy demands it */
	const char *cnonce; /* see struct http_digest_login */
};

struct handshake;

/* What an HTTP answer with status 407 says. */
struct handshake_login {
	char line[1024]; /* the current field; of a longer one there is only the start */
	size_t line_length;
	struct http_digest digest; /* the challenge */
	size_t body;               /* bytes behind the header */
	bool sized, closed;        /* the number is known; the connection will be closed */
};

struct handshake_protocol {
	/* Puts the first request. False: the protocol cannot express it; `words` says why. */
	bool (*start)(struct handshake *handshake);
	/* Looks at the bytes that were wanted, which are in `in`, and sets `wants`. */
	enum handshake_result (*step)(struct handshake *handshake);
	const char *code; /* what its numbers are called in messages */
};

struct handshake {
	const struct handshake_protocol *protocol;
	struct handshake_request request;
	unsigned char out[HANDSHAKE_OUT]; /* all that was to be sent since the start */
	size_t out_length;
	unsigned char in[HANDSHAKE_IN]; /* of the current part of the answer */
	size_t in_length;
	size_t wants;  /* bytes to read; > 0 after HANDSHAKE_MORE, _AGAIN */
	int state;     /* of the protocol */
	size_t taken;  /* bytes of all answers */
	size_t lines;  /* of an HTTP answer */
	size_t column; /* bytes of its current line */
	struct handshake_login login;
	const char *words;           /* why it was not successful */
	unsigned code;               /* the number in the answer; 0: none */
	int error;                   /* HANDSHAKE_TARGET: what it means for the target, an errno */
	bool transient;              /* the same request may succeed later */
	unsigned char bound_head[2]; /* of the address below: its type and first byte */
	struct address bound;        /* of the relay of `datagrams`; length 0: it has a name */
};

/* Starts with a zeroed or used handshake. False: see struct handshake_protocol. */
bool handshake_start(struct handshake *handshake, const struct handshake_protocol *protocol,
	const struct handshake_request *request);

/* Takes up to `wants` bytes of the answer. */
enum handshake_result handshake_take(
	struct handshake *handshake, const unsigned char *bytes, size_t n);

/* --- for protocols --- */

/* Adds bytes to `out`; false if it is full. */
bool handshake_put(struct handshake *handshake, const void *bytes, size_t n);

/* Begins a new part of the answer of n bytes. */
enum handshake_result handshake_want(struct handshake *handshake, size_t n);

/* Sets why it failed; returns the result. */
enum handshake_result handshake_fail(struct handshake *handshake, enum handshake_result result,
	const char *words, unsigned code);

#endif
