/*
 * Listening: one socket per address, opened together or not at all, and the clients that come.
 *
 * Without a host it is one V6ONLY socket on [::] and one on 0.0.0.0, or the one of them that this
 * machine has. With port 0 the system chooses one port for all. For a transport without connections
 * a client is a peer whose first datagram is waiting.
 */
#ifndef SOCKCAT_NET_LISTENER_H
#define SOCKCAT_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"
#include "base/io.h"
#include "base/log.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/resolve.h"
#include "net/socketfile.h"
#include "net/sockopt.h"
#include "net/transport.h"
#include "net/users.h"

/* What is wanted; outlives the listener. */
struct listener_config {
	const struct transport *transport;
	struct endpoint on; /* host NULL: every address */
	const struct sockopts *options;
	const struct access *access; /* who may be a client; NULL: everybody */
	const struct users *users;   /* of a Unix socket; none: everybody */
	const int *inherited;        /* sockets that listen already, or are bound, instead; … */
	size_t inherited_count;      /* … up to RESOLVE_MAX; 0: none */
};

struct listener_socket {
	int fd;
	struct address address;
	size_t entry;
	bool restore; /* O_NONBLOCK was set on a socket that others may share, and has to go again
		       */
};

enum listener_state { LISTENER_RESOLVING, LISTENER_OPEN };

struct listener {
	const struct listener_config *config;
	enum listener_state state;
	struct resolve resolve;
	struct listener_socket sockets[RESOLVE_MAX];
	size_t count;
	int64_t paused;   /* no client is accepted before: the system was out of descriptors */
	int64_t silent;   /* that is not said again before */
	uint64_t refused; /* clients that may not be any, of datagrams: these */
	struct socketfile file;
};

/* Someone who has come. */
struct listener_client {
	int fd; /* owned by whoever takes it */
	struct address peer;
};

/* IO_OK: it listens; IO_AGAIN: ask, wait, step (a name is being resolved); IO_FAIL: status 4, 6,
 * 27, 45 (an interface) or 101. */
enum io listener_start(
	struct listener *listener, const struct listener_config *config, struct fault *fault);
enum io listener_step(
	struct listener *listener, const struct interest *interest, struct fault *fault);

/* Asks for what listener_step, and later listener_accept, needs. */
void listener_ask(struct listener *listener, struct interest *interest);

/*
 * Takes the next client: IO_OK, IO_AGAIN if none is there, IO_FAIL (status 27 or 101). Clients that
 * have gone again and errors of the network are no failure. Who may not be a client is refused at
 * once, by a reset, so that it is not taken for a clean end, and counted; a datagram is dropped.
 * Without connections the socket itself is handed over; the listener no longer has it.
 */
enum io listener_accept(struct listener *listener, const struct interest *interest, int64_t now,
	struct listener_client *client, struct fault *fault);

/* A line with -v: who has come, and what is known of them. */
void listener_report(const struct listener_client *client, log_writer write);

/* Sends someone away who has come, by a reset where there is one. */
void listener_turn_away(const struct listener *listener, struct listener_client *client);

/* Whether the peer may be a client; who may not is counted. */
bool listener_permits(struct listener *listener, const struct address *peer);

/* Closes the sockets and removes our socket file, if it is still ours. Also good on a zeroed
 * struct. */
void listener_close(struct listener *listener);

#endif
