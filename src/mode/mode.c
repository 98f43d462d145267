/* Running a mode; see mode.h. */
#include "mode/mode.h"

#include "base/clock.h"
#include "base/log.h"
#include "flow/relay.h"
#include "stream/child.h"

/* What was started for a connection does not outlive us. */
static void
mode_end_programs(struct loop *loop)
{
	struct fault ignored = FAULT_NONE;
	bool waits = true;
	while (waits && child_count() > 0) {
		loop_begin(loop);
		waits = loop_wait(loop, &ignored);
	}
	fault_clear(&ignored);
}

bool
mode_run(struct plan *plan, struct fault *fault)
{
	struct run run = { .plan = plan };
	log_set_level(plan->verbose);
	/* From loop_open on signals are ours, and only who waits in the loop obeys them. */
	bool done = record_open(&run.record, &plan->record, fault) &&
		access_config_read(&plan->access, fault) && loop_open(&run.loop, fault) &&
		plan->mode->run(&run, fault);
	mode_end_programs(&run.loop);
	log_settle(1000);
	loop_close(&run.loop);
	/* A signal leaves no time for more than a moment. */
	int64_t patience = fault->signal != 0 ? RELAY_GRACE : plan->linger;
	bool recorded = record_close(&run.record, patience, fault);
	return (done && recorded) ||
		fault_set(fault, STATUS_INTERNAL, 0, "%s: failed", plan->mode->name);
}
