/*
 * Connecting: resolves the name and tries its addresses under one deadline (RFC 8305). The next
 * attempt starts when the previous one fails or after `stagger`; the first connection wins. If all
 * fail, the whole is tried again after a pause, as often as `retry` says.
 */
#ifndef SOCKCAT_NET_DIAL_H
#define SOCKCAT_NET_DIAL_H

#include "base/event.h"
#include "base/fault.h"
#include "base/pollset.h"
#include "base/io.h"
#include "net/dial_failures.h"
#include "net/dial_retries.h"
#include "net/dial_spare.h"
#include "net/destinations.h"
#include "net/endpoint.h"
#include "net/hosts.h"
#include "net/resolve.h"
#include "net/unix_path.h"
#include "net/sockopt.h"
#include "net/transport.h"

/* What the pointers point to must outlive the dial, except `known` if there are no retries. */
struct dial_config {
	const struct transport *transport;
	struct endpoint to;
	struct address local; /* to bind before connecting; length 0: none */
	uint16_t local_port;  /* to bind if there is no local address; 0: none */
	const struct sockopts *options;
	const struct hosts *hosts;   /* addresses to use in place of a look-up; NULL: none */
	const struct resolve *known; /* the addresses of the host; NULL: resolve it */
	bool sole;                   /* there is one peer: connect the socket for any address */
	bool groups;   /* do not connect the socket for a multicast or broadcast address */
	int inherited; /* an established connection to use instead; -1: none */
	const char *listen_fds_name; /* the name of `inherited` in messages without a peer */
	int64_t deadline;            /* for resolving and connecting */
	struct retry_config retry;   /* zeroed: no retries */
	struct retry *retried; /* the retries so far, of all dials for one connection; needed for
				  `retry` and `broken` */
	struct fault *broken;  /* the end of a connection that is made again; taken by dial_start;
				  NULL: this is the first */
	int64_t wait;          /* the time for each retry */
	int64_t stagger;       /* between the starts of attempts while none fails */
	bool probe; /* close connections in order instead of resetting them; nothing is sent */
	bool brief; /* of a probe: a refusal is reported without a text */
	struct dial_spare *spare; /* of a probe: keeps a socket for the next; NULL: none */
	bool quiet; /* print no fault for failed IP connections: their events report them */
	const struct destinations *destinations; /* addresses to connect to; NULL: all */
	uint16_t own_port;                       /* see destinations_refuse */
	int *error; /* set to that of a failed attempt, EACCES: refused; NULL: not needed */
};

struct dial_attempt {
	const struct address *address;
	int fd;
	bool made;     /* it is established when it is connected: no TCP Fast Open */
	bool found;    /* `peer` is that of the connection */
	int64_t again; /* when to call connect(2) again; 0: the connection is pending */
	size_t entry;
};

/* PAUSED: before the next try. */
enum dial_state { DIAL_RESOLVING, DIAL_CONNECTING, DIAL_PAUSED, DIAL_CONNECTED };

struct dial {
	struct dial_config config;
	enum dial_state state;
	char *name; /* owned; of `to`, for messages */
	struct resolve resolve;
	struct dial_attempt *attempts; /* owned; with room for each address */
	size_t count;                  /* pending attempts */
	size_t next;                   /* index of the next address */
	int64_t next_at;               /* when to start it if no attempt fails, or the next try */
	int64_t began;                 /* the look-up of this try; 0: there was none */
	int64_t tried;                 /* the first attempt of this try */
	struct dial_failures failures;
	struct dial_retries retries;
	/* DIAL_CONNECTED: */
	int fd;     /* the connection; -1: taken by the caller */
	int error;  /* of a connection that has already been reset; 0: none */
	bool made;  /* see dial_attempt */
	bool group; /* the peer is a multicast or broadcast address, the socket unconnected */
	struct address peer, own;
	struct unix_path file; /* the file of the own Unix socket */
};

/* Whether untried addresses are left. */
static inline bool
dial_has_more(const struct dial *dial)
{
	return dial->next < dial->resolve.count;
}

/* Starts a dial that is zeroed except for its config, and maybe its name. IO_OK: connected.
 * IO_AGAIN: call dial_ask, poll, dial_step. IO_FAIL: status 3, 4, 6, 7, 27, 28 or 45. */
enum io dial_start(struct dial *dial, int64_t now, struct fault *fault);

/* Emits an event about the endpoint and one of its addresses. */
void dial_emit(const struct dial *dial, struct event event, const struct address *to);

void dial_ask(struct dial *dial, struct pollset *pollset);
enum io dial_step(
	struct dial *dial, const struct pollset *pollset, int64_t now, struct fault *fault);

/* A datagram to the connected address was refused: tries the next address. Returns like dial_step.
 */
enum io dial_refused(struct dial *dial, int error, int64_t now, struct fault *fault);

/* Emits the event of an established connection. */
void dial_report(const struct dial *dial);

/* Frees everything and closes a connection that was not taken. A zeroed struct is allowed. */
void dial_close(struct dial *dial);

#endif
