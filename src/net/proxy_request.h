/*
 * What a client asks a proxy server for, without I/O: HTTP CONNECT (RFC 9110, 9.3.6, and RFC 9112),
 * SOCKS4 and SOCKS4A, SOCKS5 (RFC 1928, with the passwords of RFC 1929). The first byte decides.
 *
 *     proxy_request_start(&request, &rules)
 *     read `wants` bytes, in any pieces; proxy_request_take(&request, bytes, n); send all of `out`
 *     ... until the result is not PROXY_REQUEST_MORE
 *     PROXY_REQUEST_TARGET: connect to `target`; proxy_request_answer(&request, how it ended);
 *     send all of `out`
 *     PROXY_REQUEST_ASSOCIATE: bind a socket, set `bound`; the same
 *
 * `wants` never extends beyond the request, so that the target gets all bytes that follow.
 */
#ifndef SOCKCAT_NET_PROXY_REQUEST_H
#define SOCKCAT_NET_PROXY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "net/endpoint.h"
#include "net/proxy_users.h"

/* The longest part of a request that is looked at as a whole: a line of HTTP. */
#define PROXY_REQUEST_IN 1024

/* The most bytes of answers. */
#define PROXY_REQUEST_OUT 512

/* The limits of an HTTP request's header. */
#define PROXY_REQUEST_HEADER_MAX ((size_t)16 * 1024)
#define PROXY_REQUEST_LINES_MAX 100

/* The protocols of a server, a set of bits. */
enum proxy_request_protocols {
	PROXY_REQUEST_HTTP = 1,
	PROXY_REQUEST_SOCKS4 = 2,
	PROXY_REQUEST_SOCKS5 = 4
};

struct proxy_request_rules {
	unsigned protocols;              /* that are served */
	bool datagrams;                  /* SOCKS5 may ask to relay datagrams */
	bool numeric;                    /* names are refused */
	const struct proxy_users *users; /* without any: no login */
};

enum proxy_request_result {
	PROXY_REQUEST_MORE,      /* send `out` if it has become longer, read `wants` bytes */
	PROXY_REQUEST_TARGET,    /* `target` is known */
	PROXY_REQUEST_ASSOCIATE, /* relay datagrams of the client (RFC 1928, section 7) */
	PROXY_REQUEST_REFUSED    /* send `out`, and end the connection */
};

/* How connecting to the target has ended. */
enum proxy_request_outcome {
	PROXY_REQUEST_CONNECTED,
	PROXY_REQUEST_DENIED,  /* by the rules of the server */
	PROXY_REQUEST_UNKNOWN, /* the name did not resolve */
	PROXY_REQUEST_NO_LISTENER,
	PROXY_REQUEST_NO_NETWORK,
	PROXY_REQUEST_NO_HOST,
	PROXY_REQUEST_TIMED_OUT,
	PROXY_REQUEST_FAILED,
	PROXY_REQUEST_OUTCOMES
};

struct proxy_request;

struct proxy_request_protocol {
	const char *name;
	unsigned bit; /* of enum proxy_request_protocols */
	/* Takes up to `wants` bytes, the first one of the connection among them. */
	enum proxy_request_result (*take)(
		struct proxy_request *request, const unsigned char *bytes, size_t n);
	/* Puts the answer for a target. */
	void (*answer)(struct proxy_request *request, enum proxy_request_outcome outcome);
};

struct proxy_request {
	const struct proxy_request_protocol *protocol; /* NULL: nothing is read */
	struct proxy_request_rules rules;
	unsigned char out[PROXY_REQUEST_OUT]; /* all that was to be sent since the start */
	size_t out_length;
	unsigned char in[PROXY_REQUEST_IN]; /* of the current part */
	size_t in_length;
	size_t wants;         /* bytes to read; > 0 after PROXY_REQUEST_MORE */
	int state;            /* of the protocol */
	size_t taken;         /* bytes of all parts */
	size_t lines;         /* of an HTTP request, which have ended */
	bool carriage_return; /* the last byte of HTTP */
	unsigned fields;      /* of HTTP that were seen, a bit each */
	bool old;             /* HTTP/1.0 */
	bool wrong_login;     /* a user and password were given, but they are wrong */
	bool logged_in;
	char host[PROXY_REQUEST_IN];
	struct endpoint target; /* its host points into `host` */
	bool associates;        /* the client has datagrams to relay, and no target */
	uint16_t client_port;   /* from which it sends them; 0: from any */
	struct address bound;   /* to which it has to send them; set before the answer */
	const char *words;      /* why it was refused */
};

/* Starts with a zeroed or used request, which may not be moved afterwards. */
void proxy_request_start(struct proxy_request *request, const struct proxy_request_rules *rules);

/* Takes up to `wants` bytes. */
enum proxy_request_result proxy_request_take(
	struct proxy_request *request, const unsigned char *bytes, size_t n);

/* Puts the answer for the target into `out`. */
void proxy_request_answer(struct proxy_request *request, enum proxy_request_outcome outcome);

/* How an outcome is put in words. */
const char *proxy_request_words(enum proxy_request_outcome outcome);

/* The name of the protocol; "unknown protocol" before the first byte. */
const char *proxy_request_name(const struct proxy_request *request);

/* --- for protocols --- */

extern const struct proxy_request_protocol http_server_protocol, socks_server_v4_protocol,
	socks_server_v5_protocol;

static inline bool
proxy_request_needs_login(const struct proxy_request *request)
{
	return request->rules.users != NULL && request->rules.users->count > 0;
}

/* Adds bytes to `out`, which has room for those of all protocols. */
void proxy_request_put(struct proxy_request *request, const void *bytes, size_t n);

/* Adds bytes to `in`. False: they do not fit. */
bool proxy_request_keep(struct proxy_request *request, const unsigned char *bytes, size_t n);

/* Sets the number of bytes to read. */
enum proxy_request_result proxy_request_want(struct proxy_request *request, size_t n);

/* Refuses it; the answer has been put. */
enum proxy_request_result proxy_request_refuse(struct proxy_request *request, const char *words);

/* Sets the target: a name or an address as text of n bytes, of any value. NULL; or why it cannot be
 * a target. */
const char *proxy_request_set_target(
	struct proxy_request *request, const void *host, size_t n, uint32_t port);

#endif
