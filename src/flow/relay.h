/*
 * Two flows between a local and a remote stream, and the rules between them: which end finishes the
 * session, what a failure of one direction does to the other, and the time limits.
 *
 * OUT goes from local to remote, IN from remote to local. The relay needs neither sockets nor a
 * clock: the caller passes the events and the time.
 */
#ifndef SOCKCAT_FLOW_RELAY_H
#define SOCKCAT_FLOW_RELAY_H

#include "base/fault.h"
#include "base/pollset.h"
#include "flow/flow.h"
#include "stream/stream.h"

/* Data that was read is flushed this long after a signal, and after a failure while each span of
 * this length has progress. A peer may send data that is discarded for this long. */
#define RELAY_GRACE (1 * CLOCK_SECOND)

/* Times are spans in nanoseconds; CLOCK_NEVER: no limit. */
struct relay_rules {
	struct flow_config out, in;
	bool send, receive;          /* OUT, IN exist */
	enum flow_stop at_peer_end;  /* how the end of IN stops OUT */
	enum flow_stop at_input_end; /* how the end of OUT stops IN */
	int64_t quit_after;          /* for IN, after local input has ended and was sent */
	int64_t linger;              /* for acknowledgements, since the last progress */
	int64_t idle;                /* without movement in either direction */
	bool ends_idle;              /* the idle limit is no failure if nothing is undelivered */
	bool served;                 /* after a failure, `linger` limits the wait for local */
	bool until_peer_leaves; /* the session has no other end: a peer that closes is no failure */
	uint64_t receive_limit; /* reads of IN after which both end; 0: no limit */
};

struct relay {
	struct flow out, in;
	struct relay_rules rules;
	struct fault cause; /* the first failure of a flow or of the relay */
	int64_t input_ended_at, linger_ends, drain_ends; /* CLOCK_NEVER: not yet */
	int64_t abandoned_at; /* start of the grace; CLOCK_NEVER: not started, or over */
	size_t unarrived;     /* of the sink, when linger_ends was set */
	bool clean;           /* no failure: do not reset the streams */
	bool watched;         /* stream_watch has been called */
	bool quitting;        /* the quit time has passed */
	bool unconfirmed;     /* all was sent, but not acknowledged in time */
	bool aborting; /* ended from outside: after the grace, do not wait for the local reader */
};

/* The caller keeps both streams. False and a fault if there is no memory. */
bool relay_open(struct relay *relay, struct stream *local, struct stream *remote,
	const struct relay_rules *rules, int64_t now, struct fault *fault);

/* Frees what it owns; also good on a zeroed struct. */
void relay_close(struct relay *relay);

/* Adds what the next step waits for. */
void relay_ask(struct relay *relay, struct pollset *pollset, int64_t now);

/* One step of both flows. True when the session is over: `cause` and `clean` are final then. */
bool relay_step(struct relay *relay, const struct pollset *pollset, int64_t now);

/* The session has ended: whether what has passed is as the stages expect it. relay_step calls this
 * unless there is a cause; the caller does if that is no failure. */
bool relay_check(struct relay *relay, struct fault *fault);

/* Ends the session for a reason from outside, which moves to `cause`: data that was read is
 * flushed. A step has to follow. */
void relay_fail(struct relay *relay, struct fault *fault, int64_t now);

/* A measure of progress: messages and bytes. */
static inline uint64_t
relay_moved(const struct relay *relay)
{
	return relay->out.reads + relay->out.written + relay->in.reads + relay->in.written;
}

#endif
