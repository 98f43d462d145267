/* Dialling in the loop, for every mode that calls somebody. */
#ifndef SOCKCAT_MODE_CALLER_H
#define SOCKCAT_MODE_CALLER_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/mode.h"
#include "net/dial.h"
#include "stream/stream.h"

struct caller {
	struct dial_config config;
	struct dial dial;
};

/* What the plan wants of a dial that begins now. */
struct dial_config caller_config(const struct run *run);

/* Dials what the plan names until it is connected. False and the fault if it is not. */
bool caller_dial(struct caller *caller, struct run *run, struct fault *fault);

/* Tells of a connection that was made. */
void caller_report(const struct dial *dial);

/* Makes the stream of it, which it takes over. */
bool caller_stream(struct stream *stream, struct dial *dial, struct fault *fault);

/* Also good on a zeroed struct. */
void caller_close(struct caller *caller);

#endif
