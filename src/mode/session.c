/* One session; see session.h. */
#include "mode/session.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/relay.h"
#include "stream/record.h"
#include "stream/stdio.h"
#include "stream/telnet.h"
#include "sys/sys.h"

/* How the end of the peer's sending stops ours. */
static enum flow_stop
session_peer_rule(const struct plan *plan, const struct stream *local)
{
	switch (plan->until) {
	case PLAN_UNTIL_PEER:
	case PLAN_UNTIL_EITHER:
		return FLOW_STOP_NOW;
	case PLAN_UNTIL_BOTH:
	case PLAN_UNTIL_INPUT:
		return FLOW_GOES_ON;
	case PLAN_UNTIL_DEFAULT:
		break;
	}
	/* At a terminal nobody has to press a key to be let go. */
	if (local->terminal)
		return FLOW_STOP_NOW;
	/* The next client is waiting: what there is to say to this one is said, no more awaited. */
	return plan->keep_open ? FLOW_STOP_DRAINED : FLOW_GOES_ON;
}

static struct relay_rules
session_rules(const struct plan *plan, const struct stream *local)
{
	bool ends_with_input = plan->no_output || plan->until == PLAN_UNTIL_INPUT ||
		plan->until == PLAN_UNTIL_EITHER;
	const struct plan_frames *frames = &plan->frames;
	return (struct relay_rules){
		.out = {
			.buffer = CARRIER_SIZE,
			.splice = !plan->no_splice,
			.crlf = plan->crlf,
			.delay = plan->delay,
			.decode = frames->used ? &frames->input : NULL,
			.encode = frames->used ? &frames->wire : NULL,
			.oversize = frames->oversize,
		},
		.in = {
			.buffer = CARRIER_SIZE,
			.splice = !plan->no_splice,
			/* What is dropped need not be messages. */
			.decode = frames->used && !plan->no_output ? &frames->wire : NULL,
			.encode = frames->used && !plan->no_output ? &frames->output : NULL,
			.oversize = frames->oversize,
			.most = plan->receive_limit,
		},
		.send = !plan->no_input,
		.at_peer_end = session_peer_rule(plan, local),
		.at_input_end = ends_with_input ? FLOW_STOP_DRAINED : FLOW_GOES_ON,
		.quit_after = plan->quit_after,
		.linger = plan->linger,
		.idle = plan->idle,
		.receive_limit = plan->receive_limit,
	};
}

/* One line: what happened, and the counts; those of datagrams only where there are some. */
static void
session_report(unsigned level, const char *event, const struct relay *relay)
{
	const struct stream *remote = relay->in.source;
	char ignored[64] = "", lost[64] = "", messages[96] = "", unfit[64] = "";
	uint64_t dropped = 0;
	uint64_t skipped = relay->out.carrier.skipped + relay->in.carrier.skipped;
	uint64_t truncated = relay->out.carrier.truncated + relay->in.carrier.truncated;
	/* What is dropped comes as bytes. */
	bool whole = relay->in.carrier.message != NULL;
	if (whole || relay->out.carrier.message != NULL)
		(void)snprintf(messages, sizeof messages, " (%" PRIu64 " and %" PRIu64 " messages)",
			relay->out.reads, whole ? relay->in.reads : 0);
	if (skipped + truncated > 0)
		(void)snprintf(unfit, sizeof unfit,
			", %" PRIu64 " messages left out, %" PRIu64 " cut short", skipped,
			truncated);
	if (remote->ignored > 0)
		(void)snprintf(ignored, sizeof ignored,
			", %" PRIu64 " datagrams from others were ignored", remote->ignored);
	if (remote->endless && sys_dropped(remote->rfd, &dropped) && dropped > 0)
		(void)snprintf(lost, sizeof lost,
			", %" PRIu64 " datagrams were dropped by the kernel", dropped);
	log_line(skipped + truncated > 0 ? LOG_ALWAYS : level,
		"%s %s: %" PRIu64 " bytes sent, %" PRIu64 " bytes received%s%s%s%s", event,
		remote->name, relay->out.written,
		whole ? relay->in.carrier.taken : relay->in.written, messages, unfit, ignored,
		lost);
	if (remote->retried > 0)
		log_line(LOG_VERBOSE, "%s: %" PRIu64 " operations had to wait for buffers",
			remote->name, remote->retried);
}

/* The way that the bytes take. */
static void
session_report_way(const struct flow *flow)
{
	if (flow->state != FLOW_DONE)
		log_line(LOG_DEBUG, "from %s to %s: %s", flow->source->name, flow->sink->name,
			flow->carrier.ops->name);
}

/* The turns of the loop until the relay is over. */
static bool
session_relay(struct relay *relay, struct loop *loop, struct fault *fault)
{
	bool over = false;
	session_report_way(&relay->out);
	session_report_way(&relay->in);
	while (!over) {
		loop_begin(loop);
		relay_ask(relay, &loop->interest, loop->now);
		if (!loop_wait(loop, fault))
			return false;
		if (loop->end_signal != 0)
			relay_interrupt(relay, loop->end_signal, loop->now);
		if (loop->wants_report) {
			loop->wants_report = false;
			session_report(LOG_ALWAYS, "session", relay);
		}
		over = relay_step(relay, &loop->interest, loop->now);
	}
	session_report(LOG_VERBOSE, "closed", relay);
	if (fault_is_set(&relay->cause))
		fault_move(fault, &relay->cause);
	return !fault_is_set(fault);
}

/* Makes the connection ready, and lays around it what the user wants to have there. */
static bool
session_open_remote(struct run *run, struct stream *remote, struct fault *fault)
{
	const struct plan *plan = run->plan;
	/* Who shares the socket does not expect datagrams that the kernel has joined. */
	remote->single = plan->receive_limit > 0 || plan->inherited != -1;
	/* The kinds that there are open in one step. */
	return remote->ops->open(remote, fault) == IO_OK &&
		sockopt_apply(&plan->sockopts, remote->wfd, SOCKOPT_CONNECTED, false, fault) &&
		(!plan->telnet || telnet_init(remote, fault)) &&
		record_init(remote, &run->record, fault);
}

bool
session_run(struct run *run, struct stream *remote, struct fault *fault)
{
	const struct plan *plan = run->plan;
	struct loop *loop = &run->loop;
	const struct stdio_config config = { .discard = plan->no_output, .raw = plan->raw };
	struct stream local = { .ops = NULL };
	struct relay relay = { .cause = FAULT_NONE };
	struct relay_rules rules;
	bool done = false;

	if (stdio_init(&local, &config, fault) && local.ops->open(&local, fault) == IO_OK &&
		session_open_remote(run, remote, fault)) {
		local.half_close = !plan->keep_open;
		remote->half_close = !plan->no_shutdown;
		rules = session_rules(plan, &local);
		loop_begin(loop);
		done = relay_open(&relay, &local, remote, &rules, loop->now, fault) &&
			session_relay(&relay, loop, fault);
		run->spoilt = relay.failed == &relay.out &&
			(fault->status == STATUS_CUT || fault->status == STATUS_FRAMING);
	}
	relay_close(&relay);
	stream_close(&local);
	stream_close(remote);
	return record_report(&run->record, fault) && done;
}
