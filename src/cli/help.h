/* Help and version, on standard output. */
#ifndef SOCKCAT_CLI_HELP_H
#define SOCKCAT_CLI_HELP_H

#include <stdbool.h>

#include "base/fault.h"
#include "cli/options.h"

/* All of the help, or the part that the option's argument, or else the first operand, names. Status
 * 3 if there is no such part, 23 if it cannot be written. */
bool help_show(const struct options *options, struct fault *fault);

/* Status 23 if it cannot be written. */
bool help_show_version(struct fault *fault);

/* The table of frame formats. */
bool help_list_formats(struct fault *fault);

#endif
