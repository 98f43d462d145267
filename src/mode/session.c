/* One session; see session.h. */
#include "mode/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "flow/relay.h"
#include "mode/caller.h"
#include "mode/service.h"
#include "stream/exec.h"
#include "stream/post.h"
#include "stream/record.h"
#include "stream/telnet.h"
#include "sys/sys.h"

/* Those of the command line are for the connection that it names. */
static const struct sockopts session_no_options;

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
	/* What it is asked for it still answers, if there is an end to its answers. */
	if (plan->service->alone)
		return local->endless ? FLOW_STOP_DRAINED : FLOW_GOES_ON;
	/* At a terminal nobody has to press a key to be let go. */
	if (local->terminal)
		return FLOW_STOP_NOW;
	/* The next client is waiting: what there is to say to this one is said, no more awaited. */
	return plan->keep_open ? FLOW_STOP_DRAINED : FLOW_GOES_ON;
}

static struct relay_rules
session_rules(const struct plan *plan, const struct stream *local)
{
	bool ends_with_input = plan->no_output || plan->service->once ||
		plan->until == PLAN_UNTIL_INPUT || plan->until == PLAN_UNTIL_EITHER;
	const struct plan_frames *frames = &plan->frames;
	const struct service *service = plan->service;
	/* A mirror's own input is the peer's. */
	const struct frame *input = service->mirror ? &frames->wire : &frames->input;
	/* What goes to other clients lies as it came. */
	const struct frame *output = service->chat ? NULL
		: service->broker                  ? &frames->wire
						   : &frames->output;
	/* What waits in a box is made for the wire. */
	bool made = local->box != NULL;
	return (struct relay_rules){
		.out = {
			.buffer = CARRIER_SIZE,
			/* One of many may be idle for long. */
			.lean = plan->keep_open,
			.splice = !plan->no_splice,
			.crlf = plan->crlf && !made,
			.delay = made ? 0 : plan->delay,
			.decode = frames->used && !made ? input : NULL,
			.encode = frames->used && !made && !service->chat ? &frames->wire : NULL,
			.oversize = frames->oversize,
		},
		.in = {
			.buffer = CARRIER_SIZE,
			.lean = plan->keep_open,
			.splice = !plan->no_splice,
			/* What is dropped need not be messages. */
			.decode = frames->used && !plan->no_output ? &frames->wire : NULL,
			.encode = frames->used && !plan->no_output ? output : NULL,
			.oversize = frames->oversize,
			.most = plan->receive_limit,
		},
		.send = service->send && !plan->no_input,
		.receive = service->receive,
		.at_peer_end = session_peer_rule(plan, local),
		.at_input_end = ends_with_input ? FLOW_STOP_DRAINED : FLOW_GOES_ON,
		.quit_after = plan->quit_after,
		.linger = plan->linger,
		.idle = plan->idle,
		.served = service->alone || service->answers,
		.receive_limit = plan->receive_limit,
	};
}

void
session_report(log_writer write, unsigned level, const char *event, const struct session *session)
{
	const struct relay *relay = &session->relay;
	const struct stream *remote = &session->remote;
	char ignored[64] = "", lost[64] = "", messages[96] = "", unfit[64] = "";
	char slow[96] = "", untaken[96] = "";
	uint64_t dropped = 0, left_out = remote->left_out != NULL ? *remote->left_out : 0;
	/* A mirror has only the one flow. */
	const struct flow *in = session->run->plan->service->mirror ? &relay->out : &relay->in;
	uint64_t received = in->carrier.message != NULL ? in->carrier.taken : in->written;
	uint64_t skipped = relay->out.carrier.skipped + relay->in.carrier.skipped;
	uint64_t truncated = relay->out.carrier.truncated + relay->in.carrier.truncated;
	/* What is dropped comes as bytes. */
	bool whole = relay->in.carrier.message != NULL;
	if (whole || relay->out.carrier.message != NULL)
		(void)snprintf(messages, sizeof messages, " (%" PRIu64 " and %" PRIu64 " messages)",
			relay->out.reads, whole ? relay->in.reads : 0);
	/* Whoever sits here hears what others say from the remote side. */
	const struct post_box *box = session->local.box != NULL ? session->local.box : remote->box;
	uint64_t missed = box != NULL ? box->dropped : 0;
	if (missed > 0)
		(void)snprintf(slow, sizeof slow,
			", %" PRIu64 " pieces left out: it did not keep up", missed);
	if (left_out > 0)
		(void)snprintf(untaken, sizeof untaken,
			", %" PRIu64 " datagrams left out: they were not taken", left_out);
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
	write(skipped + truncated + missed + left_out > 0 ? LOG_ALWAYS : level,
		"%s %s: %" PRIu64 " bytes sent, %" PRIu64 " bytes received%s%s%s%s%s%s", event,
		remote->name, relay->out.written, received, messages, unfit, slow, untaken, ignored,
		lost);
	if (remote->retried > 0)
		write(LOG_VERBOSE, "%s: %" PRIu64 " operations had to wait for buffers",
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

/* Makes the connection ready, and lays around it what the user wants to have there. */
static bool
session_open_remote(struct session *session, struct run *run, struct fault *fault)
{
	const struct plan *plan = run->plan;
	struct stream *remote = &session->remote;
	/* Who shares the socket does not expect datagrams that the kernel has joined. */
	remote->single = plan->receive_limit > 0 || plan->inherited_count > 0;
	/* The kinds that there are open in one step. */
	if (remote->ops->open(remote, fault) != IO_OK)
		return false;
	/* Whoever sits here is no peer. */
	if (remote->box != NULL)
		return true;
	return (remote->wfd == -1 ||
		       sockopt_apply(
			       &plan->sockopts, remote->wfd, SOCKOPT_CONNECTED, false, fault)) &&
		(!plan->telnet || telnet_init(remote, fault)) &&
		record_init(remote, &run->record, fault);
}

/* Both sides are there. */
static bool
session_begin(struct session *session, struct stream *local, int64_t now, struct fault *fault)
{
	const struct plan *plan = session->run->plan;
	struct relay *relay = &session->relay;
	/* Standard output is also the next client's. */
	session->local.half_close = !plan->keep_open || plan->service->alone;
	session->remote.half_close = !plan->no_shutdown;
	session->state = SESSION_RELAYING;
	const struct relay_rules rules = session_rules(plan, local);
	if (!relay_open(relay, local, &session->remote, &rules, now, fault))
		return false;
	session_report_way(&relay->out);
	session_report_way(&relay->in);
	return true;
}

static void
session_drop_caller(struct session *session)
{
	if (session->caller != NULL)
		caller_close(session->caller);
	free(session->caller);
	session->caller = NULL;
}

/* The local side is to be connected. */
static bool
session_dial(struct session *session, enum io result, int64_t now, struct fault *fault)
{
	if (result != IO_OK)
		return result == IO_AGAIN;
	struct dial *dial = &session->caller->dial;
	caller_report(dial);
	bool made = caller_stream(&session->local, dial, fault);
	session_drop_caller(session);
	return made && session->local.ops->open(&session->local, fault) == IO_OK &&
		session_begin(session, &session->local, now, fault);
}

/* Only while it is dialled there is anything to dialling, which is large. */
static bool
session_start_dial(struct session *session, int64_t now, struct fault *fault)
{
	const struct plan *plan = session->run->plan;
	struct caller *caller = session->caller = calloc(1, sizeof *caller);
	if (caller == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "connect");
	/* There is no relay yet, and its peer has just come. */
	session->relay.out.moved_at = now;
	caller->config = (struct dial_config){
		.transport = plan->to.transport,
		.to = plan->to.endpoint,
		.options = &session_no_options,
		.inherited = -1,
		.deadline = clock_after(now, plan->wait),
	};
	return session_dial(
		session, dial_start(&caller->dial, &caller->config, now, fault), now, fault);
}

bool
session_open(struct session *session, struct run *run, int64_t now, struct fault *fault)
{
	const struct plan *plan = run->plan;
	const struct service *service = plan->service;
	struct stream *local = service->mirror ? &session->remote : &session->local;
	session->run = run;
	if (service->dials)
		return session_open_remote(session, run, fault) &&
			session_start_dial(session, now, fault);
	if (!service->mirror &&
		!((local->ops != NULL ||
			  service->init(local, plan, &session->remote, &session->peer, fault)) &&
			local->ops->open(local, fault) == IO_OK))
		return false;
	return session_open_remote(session, run, fault) &&
		session_begin(session, local, now, fault);
}

void
session_ask(struct session *session, struct interest *interest, int64_t now)
{
	switch (session->state) {
	case SESSION_DIALLING:
		dial_ask(&session->caller->dial, interest);
		break;
	case SESSION_RELAYING:
		relay_ask(&session->relay, interest, now);
		break;
	}
}

bool
session_step(struct session *session, const struct interest *interest, int64_t now)
{
	switch (session->state) {
	case SESSION_DIALLING:
		if (!fault_is_set(&session->fault) &&
			session_dial(session,
				dial_step(&session->caller->dial, interest, now, &session->fault),
				now, &session->fault))
			return false;
		break;
	case SESSION_RELAYING:
		return relay_step(&session->relay, interest, now);
	}
	return true;
}

void
session_fail(struct session *session, struct fault *fault, int64_t now)
{
	if (session->state == SESSION_RELAYING)
		relay_fail(&session->relay, fault, now);
	else if (fault_is_set(&session->fault))
		fault_clear(fault);
	else
		fault_move(&session->fault, fault);
}

void
session_interrupt(struct session *session, int signal, int64_t now)
{
	struct fault fault = FAULT_NONE;
	(void)fault_set_signal(&fault, signal);
	session_fail(session, &fault, now);
}

int64_t
session_moved_at(const struct session *session)
{
	const struct relay *relay = &session->relay;
	return relay->out.moved_at > relay->in.moved_at ? relay->out.moved_at : relay->in.moved_at;
}

bool
session_holds(const struct session *session)
{
	const struct relay *relay = &session->relay;
	return relay->out.read != relay->out.written || relay->in.read != relay->in.written;
}

bool
session_end(struct session *session, struct fault *fault)
{
	enum status status = session->relay.cause.status;
	/* The only session is no flood. */
	if (session->state == SESSION_RELAYING)
		session_report(session->run->plan->keep_open ? log_event : log_line, LOG_VERBOSE,
			"closed", session);
	if (fault_is_set(&session->fault))
		fault_move(fault, &session->fault);
	else if (!session->run->plan->service->endless || session->remote.endless ||
		(status != STATUS_SEND && status != STATUS_RECEIVE))
		fault_move(fault, &session->relay.cause);
	return !fault_is_set(fault);
}

void
session_close(struct session *session)
{
	relay_close(&session->relay);
	session_drop_caller(session);
	fault_clear(&session->fault);
	stream_close(&session->local);
	stream_close(&session->remote);
}

/* The turns of the loop until it is over. */
static bool
session_relay(struct session *session, struct loop *loop, struct fault *fault)
{
	bool over = false;
	while (!over) {
		loop_begin(loop);
		session_ask(session, &loop->interest, loop->now);
		if (!loop_wait(loop, fault))
			return false;
		if (loop->end_signal != 0)
			session_interrupt(session, loop->end_signal, loop->now);
		if (loop->wants_report) {
			loop->wants_report = false;
			session_report(log_line, LOG_ALWAYS, "session", session);
		}
		over = session_step(session, &loop->interest, loop->now);
	}
	return session_end(session, fault);
}

/* The program's status is ours, whenever that comes. */
static bool
session_await_program(const struct stream *local, struct loop *loop, struct fault *fault)
{
	int status;
	while (!exec_has_ended(local, &status)) {
		loop_begin(loop);
		if (!loop_wait_or_end(loop, fault))
			return false;
	}
	return status == 0 || fault_set_quiet(fault, (enum status)status);
}

bool
session_run(struct run *run, struct stream *remote, const struct address *peer, struct fault *fault)
{
	struct session session = { .remote = *remote, .peer = *peer };
	struct loop *loop = &run->loop;
	loop_begin(loop);
	bool done = session_open(&session, run, loop->now, fault) &&
		session_relay(&session, loop, fault) &&
		(!run->plan->program.status || session_await_program(&session.local, loop, fault));
	run->spoilt = session.relay.failed == &session.relay.out &&
		(fault->status == STATUS_CUT || fault->status == STATUS_FRAMING);
	session_close(&session);
	*remote = (struct stream){ .ops = NULL };
	return record_report(&run->record, fault) && done;
}
