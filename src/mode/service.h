/* What a connection meets: one row each. */
#ifndef SOCKCAT_MODE_SERVICE_H
#define SOCKCAT_MODE_SERVICE_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/plan.h"
#include "stream/exercise.h"
#include "stream/stream.h"

struct service {
	const char *name;
	bool send, receive; /* something goes to the peer, comes from it */
	bool mirror;        /* what comes goes back: the peer is its own local side */
	bool alone;         /* the local side is this client's alone, and has an end of its own */
	bool dials;         /* it is a connection, which is to be made */
	bool once;          /* the end of what is sent is the end of all */
	bool endless;       /* it goes on until the peer goes away, and that is no failure */
	bool answers;       /* a datagram is answered with one, nothing else is sent */
	bool broker; /* what comes goes to the other clients: it needs a listener for many, … */
	bool chat;   /* … as lines, with a name in front */
	enum exercise_kind exercise; /* which one the local side is, if it is one */
	/* Makes the local side, which is to be opened, for a session with the peer at the other end
	 * of `remote`, which need not be open. NULL: that is for others to do. False and a fault.
	 */
	bool (*init)(struct stream *local, const struct plan *plan, const struct stream *remote,
		const struct address *peer, struct fault *fault);
};

/* Standard input and output. */
extern const struct service service_stdio;

/* A program, for each connection a new one. */
extern const struct service service_program;

/* A connection to somebody else. */
extern const struct service service_to;

/* The other clients. */
extern const struct service service_broker, service_chat;

/* The exercises of RFC 862, 863, 864 and 867. */
extern const struct service service_echo, service_discard, service_chargen, service_daytime;

#endif
