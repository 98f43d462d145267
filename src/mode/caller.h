/* Dialling in the loop, for every mode that calls somebody. */
#ifndef SOCKCAT_MODE_CALLER_H
#define SOCKCAT_MODE_CALLER_H

#include <stdbool.h>

#include "base/fault.h"
#include "flow/loop.h"
#include "mode/plan.h"
#include "net/dial.h"

struct caller {
	struct dial_config config;
	struct dial dial;
};

/* Dials what the plan names until it is connected. False and the fault if it is not. */
bool caller_dial(
	struct caller *caller, const struct plan *plan, struct loop *loop, struct fault *fault);

/* Also good on a zeroed struct. */
void caller_close(struct caller *caller);

#endif
