/*
 * Two flows between a local and a remote stream, and the rules that join them: which end finishes
 * the session, what a failure of one direction does to the other, and the times.
 *
 * OUT goes from local to remote, IN from remote to local. The relay needs neither sockets nor a
 * clock: the caller says what fired and what time it is.
 */
#ifndef SOCKCAT_FLOW_RELAY_H
#define SOCKCAT_FLOW_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"
#include "flow/flow.h"
#include "stream/stream.h"

/* After a failure, or a signal, what was already read has this long to get out; and so long a peer
 * may send what nobody reads before it is cut short. */
#define RELAY_GRACE (1 * CLOCK_SECOND)

/* The rules; times are spans in nanoseconds, CLOCK_NEVER for no limit. */
struct relay_rules {
	struct flow_config out, in;
	bool send, receive;          /* OUT, IN exist */
	enum flow_stop at_peer_end;  /* how the end of IN stops OUT */
	enum flow_stop at_input_end; /* how the end of OUT stops IN */
	int64_t quit_after;          /* of IN after local input has ended; of silence if endless */
	int64_t linger;              /* for the arrival of what was sent, without any progress */
	int64_t idle;                /* with nothing moving either way */
	bool served;                 /* after a failure local has `linger` to take what is left */
	uint64_t receive_limit;      /* IN and OUT end after so many reads of IN; 0: no limit */
};

struct relay {
	struct flow out, in;
	struct relay_rules rules;
	struct fault cause;        /* the first failure, of either flow or of the relay, … */
	const struct flow *failed; /* … and of which flow; NULL: of none */
	int64_t input_ended_at, grace_ends, linger_ends, drain_ends; /* CLOCK_NEVER: not yet */
	size_t unarrived;                                            /* when linger_ends was set */
	bool quitting;                                               /* the quit time has passed */
	bool unconfirmed; /* all was sent, but its arrival was not seen in time */
	bool hurries;     /* it was ended from outside: after the grace not even a local reader is
			     waited for */
};

/* Both streams stay the caller's. False and a fault if there is no memory. */
bool relay_open(struct relay *relay, struct stream *local, struct stream *remote,
	const struct relay_rules *rules, int64_t now, struct fault *fault);

/* Frees what it owns; also good on a zeroed struct. */
void relay_close(struct relay *relay);

/* Asks for what the next step needs. */
void relay_ask(struct relay *relay, struct interest *interest, int64_t now);

/*
 * Does what is possible now. True when the session is over: then `cause` tells how it went, and
 * the streams are marked clean or not.
 */
bool relay_step(struct relay *relay, const struct interest *interest, int64_t now);

/* The session fails for a reason from outside, which is taken over: what was already read is
 * flushed. To be followed by a step. */
void relay_fail(struct relay *relay, struct fault *fault, int64_t now);

#endif
