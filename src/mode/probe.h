/*
 * A probe: a task that finds out once whether a port answers. It connects, also with TLS, or sends
 * a request of the port's service as a datagram, and ends with a result; when to probe what, and
 * what to print, is its owner's choice.
 *
 *     probe_start(&probe, &config, secure, &queue)    zeroed before
 *     the owner is woken, and takes it from the queue: probe.result
 *     probe_close(&probe)                     after which it may be started again
 */
#ifndef SOCKCAT_MODE_PROBE_H
#define SOCKCAT_MODE_PROBE_H

#include "base/event.h"
#include "base/fault.h"
#include "engine/engine.h"
#include "filter/tls_filter.h"
#include "net/banner.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/udp_query.h"
#include "stream/stream.h"

/* The most look-ups at a time of modes with many probes; each has a thread. */
#define PROBE_LOOKUPS 16

enum probe_state {
#define STATE(id, word, status, text) PROBE_##id,
#include "mode/probe.def"
#undef STATE
};

/* The last thing that was tried. */
enum probe_stage { PROBE_RESOLVE, PROBE_CONNECT, PROBE_ANSWER, PROBE_HANDSHAKE };

struct probe_result {
	enum probe_state state;
	enum probe_stage stage;
	int64_t resolve_time;   /* the time of the look-up; 0: there was none */
	int64_t connect_time;   /* until the answer, a refusal or the deadline; 0: not tried */
	int64_t handshake_time; /* the part of it that TLS took */
	char *banner;           /* owned: what the service sent first; NULL: nothing */
	struct fault fault;     /* the cause, and its status; unset: open */
};

/* Probes that are done, in the order in which that happened, and the task to wake for them. It is
 * also woken when a name is resolved. */
struct probe_queue {
	struct engine *engine;
	struct task *owner;
	bool empty; /* send empty datagrams, not requests of the port's service */
	const struct banner_config *banner;  /* of connections; NULL: do not read it */
	const struct tls_filter_config *tls; /* its name: of all hosts; NULL: of each its own */
	const struct proxy_chain *proxies;   /* to connect through */
	struct probe *first, *last;
};

enum probe_phase {
	PROBE_DIALLING,
	PROBE_TUNNELLING, /* through the proxies */
	PROBE_ASKED,
	PROBE_OPENING, /* TLS */
	PROBE_READING,
	PROBE_DONE
};

struct probe {
	struct task task; /* first: found by its address */
	struct probe_queue *queue;
	struct probe *next; /* in the queue */
	enum probe_phase phase;
	bool secure; /* by TLS */
	bool reset;  /* set by the owner: close a connection by reset */
	/* When done: the addresses and, if the port is open, the connection. */
	struct dial dial;
	struct udp_query query; /* PROBE_ASKED */
	struct stream *stream;  /* owned; of the connection, if the phase needs one */
	int error;              /* of a target behind proxies, see struct handshake */
	struct tls_filter_config tls;
	struct banner banner; /* PROBE_READING */
	int64_t read_until;
	size_t entry;
	int64_t began, resolved; /* resolved: 0: not yet */
	int64_t connected;       /* the start of the handshake */
	struct probe_result result;
};

/* Starts a probe, which may be done, and in the queue, when this returns. `secure`: with TLS. */
void probe_start(struct probe *probe, const struct dial_config *config, bool secure,
	struct probe_queue *queue);

/* Removes the next probe from the queue of those that are done; NULL: there is none. */
struct probe *probe_queue_take(struct probe_queue *queue);

/* Ends a probe that is not done, frees everything and closes a connection. The probe is not in a
 * queue. A zeroed struct is allowed. */
void probe_close(struct probe *probe);

/* Emits an event with the endpoint, the address that answered, and the result. */
void probe_emit(const struct probe *probe, struct event event);

/* "open", "open|filtered" and so on. */
const char *probe_state_word(enum probe_state state);

/* "resolve", "connect", "answer", "handshake". */
const char *probe_stage_word(enum probe_stage stage);

#endif
