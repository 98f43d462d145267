/* The option --to: where a connection is carried on to. */
#ifndef SOCKCAT_CLI_TARGET_H
#define SOCKCAT_CLI_TARGET_H

#include <stdbool.h>

#include "base/fault.h"
#include "cli/options.h"
#include "mode/plan.h"

/* Takes it into the plan, if it is given. Status 2 or 3. */
bool target_plan(struct plan *plan, const struct options *options, struct fault *fault);

#endif
