/* Help and version, on standard output, made from the option table. */
#ifndef SOCKCAT_CLI_HELP_H
#define SOCKCAT_CLI_HELP_H

#include <stdbool.h>

#include "base/fault.h"

/* Status 23 if standard output does not take it. */
bool help_show(struct fault *fault);
bool help_show_version(struct fault *fault);

#endif
