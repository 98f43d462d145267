/*
 * Sockets that are there already when this process starts: fd://N, those that a service manager has
 * passed (sd_listen_fds(3)), and standard input, as inetd(8) has it.
 */
#ifndef SOCKCAT_CLI_INHERITED_H
#define SOCKCAT_CLI_INHERITED_H

#include <stdbool.h>

#include "base/fault.h"
#include "cli/operands.h"
#include "cli/options.h"
#include "mode/plan.h"

/* What a service manager says that it has passed to this process: the descriptors from 3. Of the
 * environment, not owned. */
struct inherited {
	const char *count; /* LISTEN_FDS, of whatever form; NULL: there are none for this process */
	const char *names; /* LISTEN_FDNAMES: one each, separated by ':'; NULL: they have none */
};

/* Looks into the environment. */
void inherited_look(struct inherited *passed);

/*
 * Takes the sockets that the operands name, if they name any, and their transport into the plan;
 * what they are counts as if options had said it. Status 3, or if they were passed to be listened
 * on, 101.
 */
bool inherited_plan(struct plan *plan, struct options *options, const struct operands *operands,
	const struct inherited *passed, struct fault *fault);

/*
 * To be called when all else of the plan is there: programs that are run are not told what was
 * passed to this process, and a socket that is standard input gets a number of its own. Status 2 if
 * the plan needs standard input, or 3 or 27.
 */
bool inherited_settle(struct plan *plan, struct fault *fault);

#endif
