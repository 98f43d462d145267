/*
 * Command lines in the syntax of other tools (socat, ncat, other versions of nc, URLs), and common
 * slips: recognised, and answered with what to write. The tables are in foreign.def.
 */
#ifndef SOCKCAT_CLI_FOREIGN_H
#define SOCKCAT_CLI_FOREIGN_H

#include "base/fault.h"
#include "cli/options.h"

/* What to use in place of an unknown option. NULL: not known. `name` ends at '=' or the end. */
const char *foreign_letter(int letter);
const char *foreign_name(const char *name);

/* False with a fault of status 2 if the operands are in the syntax of another tool, or are not what
 * was probably meant. Those of a path (-U) and the words of a program are not looked at. */
bool foreign_check(const struct options *options, struct fault *fault);

#endif
