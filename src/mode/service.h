/* What a connection meets: one row each. */
#ifndef SOCKCAT_MODE_SERVICE_H
#define SOCKCAT_MODE_SERVICE_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/plan.h"
#include "stream/stream.h"

struct service {
	const char *name;
	bool send, receive; /* something goes to the peer, comes from it */
	bool mirror;        /* what comes goes back: the peer is its own local side */
	bool once;          /* the end of what is sent is the end of all */
	bool endless;       /* it goes on until the peer goes away, and that is no failure */
	bool broker;        /* what comes goes to the other clients: it needs a listener for many */
	/* Makes the local side, which is to be opened; not of a mirror, nor of a broker. False and
	 * a fault. */
	bool (*init)(struct stream *local, const struct plan *plan, struct fault *fault);
};

/* Standard input and output. */
extern const struct service service_stdio;

/* The other clients. */
extern const struct service service_broker;

/* The exercises of RFC 862, 863, 864 and 867. */
extern const struct service service_echo, service_discard, service_chargen, service_daytime;

#endif
