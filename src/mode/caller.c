/* Dialling in the loop; see caller.h. */
#include "mode/caller.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

static void
caller_report(const struct dial *dial)
{
	char *peer = address_print(&dial->peer), *own = address_print(&dial->own);
	log_line(LOG_VERBOSE, "connected to %s from %s (%s)", peer != NULL ? peer : "?",
		own != NULL ? own : "?", dial->config->transport->name);
	free(peer);
	free(own);
}

struct dial_config
caller_config(const struct run *run)
{
	const struct plan *plan = run->plan;
	return (struct dial_config){
		.transport = plan->transport,
		.to = plan->endpoint,
		.local = plan->local,
		.local_port = plan->local_port,
		.options = &plan->sockopts,
		.inherited = plan->inherited,
		.deadline = clock_after(run->loop.now, plan->wait),
	};
}

bool
caller_dial(struct caller *caller, struct run *run, struct fault *fault)
{
	struct dial *dial = &caller->dial;
	struct loop *loop = &run->loop;
	caller->config = caller_config(run);
	enum io result = dial_start(dial, &caller->config, loop->now, fault);
	while (result == IO_AGAIN) {
		loop_begin(loop);
		dial_ask(dial, &loop->interest);
		if (!loop_wait_or_end(loop, fault))
			return false;
		if (loop->wants_report) {
			loop->wants_report = false;
			log_line(LOG_ALWAYS, "connecting to %s", dial->name);
		}
		result = dial_step(dial, &loop->interest, loop->now, fault);
	}
	if (result == IO_OK)
		caller_report(dial);
	return result == IO_OK;
}

void
caller_close(struct caller *caller)
{
	dial_close(&caller->dial);
}
