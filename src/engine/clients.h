/*
 * The table of clients. Each has a session of its own; the clients of a listener with -k share some
 * resources. A failed session is reported at once and ends no other; the failure of the only
 * session is that of the run.
 */
#ifndef SOCKCAT_ENGINE_CLIENTS_H
#define SOCKCAT_ENGINE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "flow/flow.h"
#include "engine/run.h"
#include "engine/addr_table.h"
#include "engine/greeter.h"
#include "engine/session.h"
#include "net/listener.h"
#include "stream/peer.h"
#include "broadcast/bus.h"
#include "broadcast/stdio_mux.h"

struct admission;

struct client {
	struct task task;        /* first: found by its address */
	struct clients *clients; /* the table it is in */
	struct session session;
	struct peer *peer;      /* its datagrams; not owned; NULL: it has a connection */
	struct bus_queue queue; /* data published to it */
	/* The state after the last step. */
	enum session_state state;
	unsigned reopened;
	enum flow_state out, in;
	uint64_t hello;              /* see greeter.h */
	bool waits;                  /* see arrival.h */
	struct admission *admission; /* see admission.h; owned; NULL: its address is known */
	struct addr_table_entry by_peer, by_host;
	struct client *next, *previous;
};

struct clients {
	struct run *run;
	struct listener *listener; /* not owned; NULL: none */
	struct bus *bus;           /* publishes to the clients; NULL: none */
	struct stdio_mux mux;      /* standard input and output of many clients */
	struct task *input;        /* reads standard input for all clients; not owned; NULL: none */
	struct client *first;      /* owned */
	struct client *chat_operator; /* the operator of a chat; not counted; NULL: none */
	struct greeter greeter;       /* of the senders that are no clients yet */
	struct addr_table peers;      /* datagram peers by address */
	struct addr_table per_host; /* clients by address without port, for --max-conns-per-host */
	size_t count;               /* current clients */
	size_t arriving, waiting;   /* of them: without a place; of those: after the handshake */
	size_t admissions;          /* of them: not accepted, since their address is not known */
	uint64_t accepted, failed;  /* clients in all */
	uint64_t unopened;          /* of those that failed: in the handshake */
	uint64_t refused;           /* clients above a limit */
	struct retry retry;         /* of connecting, and of connecting again */
	size_t stored; /* files of --send that the peer has stored, over several connections */
	int64_t empty_since; /* since when there has been no client; CLOCK_NEVER: there is one */
	size_t message_max;  /* the largest message for a client; 0: bytes */
	size_t full;         /* peers with a full queue */
	bool sole;           /* the only session, whose failure is that of the run */
	bool datagrams;      /* without connections: a receiver reads for all clients */
	bool closing;        /* no more clients are accepted */
	bool finishing;      /* after a signal the clients have --grace to finish */
	bool interrupted;    /* a signal interrupted them */
};

/* An empty table; without `keep_open` of the config it is for one session. */
void clients_open(struct clients *clients, struct run *run, struct listener *listener);

/* Adds the session whose remote side is dialled. `broken`: why the last connection ended, which is
 * taken; NULL: this is the first. False and a fault if it failed at once. */
bool clients_connect(struct clients *clients, struct fault *broken, struct fault *fault);

/* Adds a client without streams, which is not counted; NULL if there is no memory. */
struct client *clients_add(struct clients *clients);

/* What its service gets. */
struct service_context clients_context(struct clients *clients, struct client *client);

/* The first step of its session, and its task. False and a fault if that failed. */
bool clients_start(struct clients *clients, struct client *client, struct fault *fault);

/* Closes all sessions. */
void clients_close(struct clients *clients);

/* Stops accepting; the sessions finish. */
void clients_finish(struct clients *clients);

/* Applies --slow to a peer whose queue of datagrams is full. */
void clients_overflow(struct clients *clients, struct client *client);

/* Reports the failure of a session, which is cleared. False if it ends the run: it is the only
 * session, or the shared standard input or output has failed. */
bool clients_survives(struct clients *clients, struct fault *fault);

/* Closes and frees a client. */
void clients_forget(struct clients *clients, struct client *client);

/* Wakes the clients that the bus or the capture has woken. Called after each step that may have
 * published, taken or captured data. */
void clients_wake(struct clients *clients);

/* The client with this address, or NULL. */
struct client *clients_find(struct clients *clients, const struct address *peer);

/* Whether a datagram peer has sent its end. Later datagrams are ignored, and no loss. */
bool clients_has_ended(const struct client *client);

/* Ends the session of a datagram peer to make room for another one. */
void clients_replace(struct clients *clients, struct client *client);

/* Forgets the address of a datagram peer that has begun another session, and ends this one. It
 * counts for --max-conns-per-host until it is over. */
void clients_release(struct clients *clients, struct client *client);

/* Lines of statistics. */
void clients_report(const struct clients *clients);

#endif
