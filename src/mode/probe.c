/* Probing: only whether a port answers. */
#include "base/log.h"
#include "mode/caller.h"
#include "mode/mode.h"

/* A refusal is the answer "no": status 1. What kept the question from being asked, or answered,
 * keeps its own status. */
static bool
probe_run(const struct plan *plan, struct loop *loop, struct fault *fault)
{
	struct caller caller = { .dial = { .fd = -1 } };
	bool open = caller_dial(&caller, plan, loop, fault);
	if (open)
		log_line(LOG_VERBOSE, "%s: open", caller.dial.name);
	else if (fault->status == STATUS_CONNECT && caller.dial.refused)
		fault->status = STATUS_NO;
	caller_close(&caller);
	return open;
}

const struct mode probe_mode = { "probe", probe_run };
