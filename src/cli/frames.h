/* The options of framing: from what was given to the four formats of a session. */
#ifndef SOCKCAT_CLI_FRAMES_H
#define SOCKCAT_CLI_FRAMES_H

#include <stdbool.h>

#include "base/fault.h"
#include "cli/options.h"
#include "mode/plan.h"

/* Fills plan->frames; its transport is known. Status 2, 3 or 4. */
bool frames_plan(struct plan *plan, const struct options *options, struct fault *fault);

#endif
