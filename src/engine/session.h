/* One session between the local side of a service and a connection. */
#ifndef SOCKCAT_ENGINE_SESSION_H
#define SOCKCAT_ENGINE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/pollset.h"
#include "base/event.h"
#include "flow/relay.h"
#include "engine/run.h"
#include "engine/notice.h"
#include "stream/stream.h"

struct service_context;

/*
 *   OPENING   the remote side opens from the bottom up, then the local side
 *   RELAYING  both sides are open
 *   SETTLING  the relay has ended well; its result is made permanent (a file is renamed)
 *   AWAITING  the relay has ended; with --exec-status the status of the program is waited for
 */
enum session_state { SESSION_OPENING, SESSION_RELAYING, SESSION_SETTLING, SESSION_AWAITING };

struct session {
	struct run *run;
	uint64_t id; /* 0: the operator, not counted */
	enum session_state state;
	bool connects : 1;   /* the remote side is dialled; otherwise it was accepted */
	bool connected : 1;  /* the bottom of the remote side is open */
	bool held : 1;       /* set by the owner: the local side is not opened yet */
	bool peer_ended : 1; /* that has been reported */
	bool local_ended : 1;
	struct retry retried;           /* of connections that the local side makes */
	int64_t began;                  /* when it was accepted, or began to dial */
	struct stream *local, *remote;  /* owned; local is NULL if it is the peer, or not created */
	struct stream *settles;         /* what SESSION_SETTLING waits for; not owned */
	struct capture_client captured; /* of the remote side */
	struct address peer;
	void *greeted; /* owned: a session of the plug-in `tls` that has begun; NULL: none */
	struct proxy_header *header; /* owned; about the connection, by a proxy; NULL: nothing */
	struct relay relay;
	struct notice notice;
	struct progress_entry progress; /* its place among the sessions that relay */
	size_t watch_entry;             /* of the remote side while the local side opens */
	int64_t status_by;              /* when the status is not awaited any more */
	struct fault fault;             /* the failure */
};

/*
 * One step of SESSION_OPENING: opens the remote side and, unless the session is `held`, creates and
 * opens the local side, and then starts the relay. `pollset`: of the last session_ask, NULL at the
 * first step. True when the session is over, as it has failed.
 */
bool session_open(struct session *session, const struct service_context *context,
	const struct pollset *pollset);

/* Adds what the next step waits for. */
void session_ask(struct session *session, struct pollset *pollset, int64_t now);

/* One step after SESSION_OPENING; true when the session is over. */
bool session_step(struct session *session, const struct pollset *pollset, int64_t now);

/* Fails the session with a fault, which is taken. A step has to follow. */
void session_fail(struct session *session, struct fault *fault, int64_t now);

/* Interrupts the session by a signal. A step has to follow. */
void session_interrupt(struct session *session, int signal, int64_t now);

/* Detects progress in the kernel (flow_look). For SESSION_RELAYING only. */
void session_look(struct session *session, int64_t now);

/* The last known movement in either direction. */
int64_t session_moved_at(const struct session *session);

/* Whether data that was read has not been written. */
bool session_holds(const struct session *session);

/* Changes when a descriptor of the local side was replaced under the same number. */
static inline unsigned
session_reopened(const struct session *session)
{
	return session->local != NULL ? session->local->write.reopened : 0;
}

/* Whether the session only waits until it is not `held` any more. */
static inline bool
session_is_held(const struct session *session)
{
	return session->held && session->connected && session->remote->opened;
}

/* Whether a message of the client is partly written, so that other writers have to wait. */
static inline bool
session_is_mid_message(const struct session *session)
{
	return session->local != NULL && session->local->mid_message;
}

/* Emits an event session_* with the counts of the session; at every level if data was `lost`. */
void session_report(enum event_kind kind, bool lost, const struct session *session);

/* Emits its state and counts. */
void session_report_progress(const struct session *session);

/* Takes the result of a session that is over. */
bool session_end(struct session *session, struct fault *fault);

/* Closes both streams; a zeroed struct is allowed. */
void session_close(struct session *session);

#endif
