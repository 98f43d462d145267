/* Help and version, on standard output. */
#ifndef SOCKCAT_CLI_HELP_H
#define SOCKCAT_CLI_HELP_H

#include "base/fault.h"
#include "cli/options.h"

/* The five lines of the usage. */
const char *help_usage(void);

/* Prints one screen of help, or the topic in the option's argument or the only operand. Status 3
 * for an unknown topic, 23 for a write error. */
bool help_show(const struct options *options, struct fault *fault);

/* Status 23 for a write error. */
bool help_show_version(struct fault *fault);

/* Prints the table of frame formats. Status 23 for a write error. */
bool help_list_formats(struct fault *fault);

#endif
