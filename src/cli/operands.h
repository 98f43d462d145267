/* What is no option on the command line, sorted: where a word stands, and what it looks like, tells
 * what it is. */
#ifndef SOCKCAT_CLI_OPERANDS_H
#define SOCKCAT_CLI_OPERANDS_H

#include <stdbool.h>

#include "base/fault.h"
#include "cli/options.h"

/* Nothing is owned; NULL: not given. */
struct operands {
	char *host;
	char **ports; /* one, or for a probe at least one */
	int port_count;
	char *path;       /* of a Unix socket */
	char *descriptor; /* the number, or the name, of a socket that is there already */
	char *port;       /* what `ports` points to, if it was cut out of a word */
	bool passed;      /* there are none: it is the sockets that were passed */
};

/*
 * Behind a whole endpoint "--" begins a program, which is taken out of the operands and counts as
 * --exec, unless there is one already. Any other "--" only ends the options. `passed`: sockets were
 * passed to this process, and to listen without any operand is to listen on them.
 */
void operands_cut_program(struct options *options, bool passed);

/*
 * Sorts what is left of the options: HOST PORT, -l PORT, -l HOST PORT with their spellings by -s
 * and -p, -U PATH, or one word (net/word.h), which may stand for options too. The struct must not
 * be copied afterwards. Status 2 or 3.
 */
bool operands_sort(
	struct operands *operands, struct options *options, bool passed, struct fault *fault);

#endif
