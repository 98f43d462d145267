/* What a user can ask for: one row and one file each. */
#ifndef SOCKCAT_MODE_MODE_H
#define SOCKCAT_MODE_MODE_H

#include <stdbool.h>

#include "base/fault.h"
#include "flow/loop.h"
#include "mode/plan.h"
#include "stream/record.h"

/* What a run has from its beginning to its end. */
struct run {
	const struct plan *plan;
	struct loop loop;
	struct record record;
	bool spoilt; /* standard input was left inside a message: nobody can go on with it */
};

struct mode {
	const char *name;
	/* Does it, from beginning to end; false and the fault if it did not end well. */
	bool (*run)(struct run *run, struct fault *fault);
};

extern const struct mode connect_mode, listen_mode, probe_mode, pass_mode;

/* Runs the plan's mode. The plan gets the lists that can be read only once. */
bool mode_run(struct plan *plan, struct fault *fault);

#endif
