/*
 * Making a connection: the name is resolved, and every address is tried under one deadline. The
 * next address is begun when the one before fails or has had 250 ms (RFC 8305); the first that
 * connects wins.
 */
#ifndef SOCKCAT_NET_DIAL_H
#define SOCKCAT_NET_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"
#include "base/io.h"
#include "net/endpoint.h"
#include "net/resolve.h"
#include "net/socketfile.h"
#include "net/sockopt.h"
#include "net/transport.h"

/* What is wanted; outlives the dial, but for `known`, which is copied at the start. */
struct dial_config {
	const struct transport *transport;
	struct endpoint to;
	struct address local; /* to bind before connecting; length 0: none */
	uint16_t local_port;  /* without an address: to bind on any address; 0: none */
	const struct sockopts *options;
	const struct resolve
		*known;   /* the host's addresses, if they are known; NULL: they are not */
	int inherited;    /* a connection that is there already; -1: none */
	int64_t deadline; /* for all of it, name resolution included */
};

struct dial_attempt {
	const struct address *address;
	int fd;
	int64_t again; /* the connect is to be called again then; 0: it is under way */
	size_t entry;
};

enum dial_state { DIAL_RESOLVING, DIAL_CONNECTING, DIAL_CONNECTED };

struct dial {
	const struct dial_config *config;
	enum dial_state state;
	char *name; /* owned: what is dialled, for messages */
	struct resolve resolve;
	struct dial_attempt attempts[RESOLVE_MAX];
	size_t count;          /* attempts under way */
	size_t next;           /* the address that comes next */
	int64_t next_at;       /* when it comes even though nothing has failed */
	struct fault failures; /* of the attempts so far, one after the other */
	bool mixed;            /* they had different statuses */
	int fd;                /* DIAL_CONNECTED: the connection; whoever takes it sets it to -1 */
	int error;    /* … which has already been reset: this is what it said, 0: it was not */
	bool refused; /* every failure so far was a refusal: somebody is there and says no */
	struct address peer, own;
	struct socketfile file; /* of a Unix socket's own end */
};

/* IO_OK: connected; IO_AGAIN: ask, wait, step; IO_FAIL: status 3, 4, 6, 7, 27, 28 or 45. */
enum io dial_start(
	struct dial *dial, const struct dial_config *config, int64_t now, struct fault *fault);
void dial_ask(struct dial *dial, struct interest *interest);
enum io dial_step(
	struct dial *dial, const struct interest *interest, int64_t now, struct fault *fault);

/* The connection that was made has turned out to be none (a datagram was refused): on to the next
 * address, as dial_step. */
enum io dial_refused(struct dial *dial, int error, int64_t now, struct fault *fault);

/* Gives everything back, a connection that nobody took included. Also good on a zeroed struct. */
void dial_close(struct dial *dial);

#endif
