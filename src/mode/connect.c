/* Connecting: dial, then one session. */
#include "mode/caller.h"
#include "mode/mode.h"
#include "mode/session.h"

static bool
connect_run(struct run *run, struct fault *fault)
{
	struct stream remote = { .ops = NULL };
	struct caller caller = { .dial = { .fd = -1 } };
	bool done = caller_dial(&caller, run, fault) &&
		caller_stream(&remote, &caller.dial, fault) &&
		session_run(run, &remote, &caller.dial.peer, fault);
	caller_close(&caller);
	return done;
}

const struct mode connect_mode = { "connect", connect_run };
