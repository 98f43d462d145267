/* The options that run a program, checked and put into the plan. */
#ifndef SOCKCAT_CLI_PROGRAM_H
#define SOCKCAT_CLI_PROGRAM_H

#include <stdbool.h>

#include "base/fault.h"
#include "cli/options.h"
#include "mode/plan.h"

/* Whatever is run has to be there now, not only when somebody connects. Status 27, 126 or 127. */
bool program_plan(struct plan *plan, const struct options *options, struct fault *fault);

#endif
