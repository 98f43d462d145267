/* One session: what the service has on one side, an open connection on the other. */
#ifndef SOCKCAT_MODE_SESSION_H
#define SOCKCAT_MODE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"
#include "base/log.h"
#include "flow/relay.h"
#include "mode/mode.h"
#include "stream/stream.h"

/*
 *   DIALLING  the local side is a connection that is being made
 *   RELAYING  both sides are there
 */
struct caller;
enum session_state { SESSION_DIALLING, SESSION_RELAYING };

struct session {
	struct run *run;
	enum session_state state;
	struct stream local, remote;
	struct address peer;
	struct relay relay;
	struct caller *caller; /* owned: while the local side is being dialled */
	struct fault fault;    /* of the dial */
};

/*
 * Makes both sides ready, and the relay between them. `remote` has been initialised before; so has
 * `local`, if it is not the service's own. To be closed in any case.
 */
bool session_open(struct session *session, struct run *run, int64_t now, struct fault *fault);

/* Asks for what the next step needs. */
void session_ask(struct session *session, struct interest *interest, int64_t now);

/* Does what is possible now; true when it is over. */
bool session_step(struct session *session, const struct interest *interest, int64_t now);

/* It fails for a reason from outside, which is taken over. To be followed by a step. */
void session_fail(struct session *session, struct fault *fault, int64_t now);

/* A signal ends it. To be followed by a step. */
void session_interrupt(struct session *session, int signal, int64_t now);

/* When something moved for the last time, either way. */
int64_t session_moved_at(const struct session *session);

/* Whether something that was read was not, or is not yet, written. */
bool session_holds(const struct session *session);

/* One line: what happened, and the counts. */
void session_report(
	log_writer write, unsigned level, const char *event, const struct session *session);

/* It is over: how it went. */
bool session_end(struct session *session, struct fault *fault);

/* Closes both streams; also good on a zeroed struct. */
void session_close(struct session *session);

/* Runs one over the remote stream, which is closed with it, to its end. False and the fault if not
 * all went well. */
bool session_run(
	struct run *run, struct stream *remote, const struct address *peer, struct fault *fault);

#endif
