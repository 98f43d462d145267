/* Running a mode; see mode.h. */
#include "mode/mode.h"

#include "base/log.h"

bool
mode_run(const struct plan *plan, struct fault *fault)
{
	struct loop loop;
	log_set_level(plan->verbose);
	bool done = loop_open(&loop, fault) && plan->mode->run(plan, &loop, fault);
	loop_close(&loop);
	return done || fault_set(fault, STATUS_INTERNAL, 0, "%s: failed", plan->mode->name);
}
