/* Two flows and the rules that join them; see relay.h. */
#include "flow/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

bool
relay_open(struct relay *relay, struct stream *local, struct stream *remote,
	const struct relay_rules *rules, int64_t now, struct fault *fault)
{
	*relay = (struct relay){
		.rules = *rules,
		.input_ended_at = CLOCK_NEVER,
		.grace_ends = CLOCK_NEVER,
		.linger_ends = CLOCK_NEVER,
		.drain_ends = CLOCK_NEVER,
	};
	if (!rules->send)
		flow_open_idle(&relay->out, local, remote, now);
	else if (!flow_open(&relay->out, local, remote, &rules->out, now, fault))
		return false;
	if (rules->receive)
		return flow_open(&relay->in, remote, local, &rules->in, now, fault);
	flow_open_idle(&relay->in, remote, local, now);
	return true;
}

void
relay_close(struct relay *relay)
{
	flow_close(&relay->out);
	flow_close(&relay->in);
	fault_clear(&relay->cause);
}

static bool
relay_is_over(const struct relay *relay)
{
	return relay->out.state == FLOW_DONE && relay->in.state == FLOW_DONE;
}

static int64_t
relay_idle_ends(const struct relay *relay)
{
	int64_t out = flow_idle_since(&relay->out), in = flow_idle_since(&relay->in);
	int64_t idle = relay->rules.idle;
	/* It may take nothing because it waits for us to take something, which nobody does now. */
	if (relay->rules.served && fault_is_set(&relay->cause))
		idle = clock_earlier(idle, relay->rules.linger);
	/* Cut off there, what others write next would belong to it. */
	if (relay->in.sink->begun)
		return CLOCK_NEVER;
	return clock_after(out > in ? out : in, idle);
}

/* When IN is ended for being late: counted from the end of local input, or from the last message
 * where silence is the only end there is. */
static int64_t
relay_quit_ends(const struct relay *relay)
{
	int64_t from = relay->input_ended_at;
	if (from == CLOCK_NEVER || relay->quitting || relay->in.state == FLOW_DONE)
		return CLOCK_NEVER;
	/* Nobody wants what is still to come; but a peer that is cut short may lose what it has. */
	if (relay->in.sink->deaf && relay->out.state == FLOW_DONE)
		return clock_after(relay->out.moved_at > from ? relay->out.moved_at : from,
			clock_earlier(relay->rules.quit_after, RELAY_GRACE));
	/* What came, or is still to come, after a pause belongs to the input. */
	if (relay->out.delay > 0 && flow_idle_since(&relay->out) > from)
		from = flow_idle_since(&relay->out);
	if (relay->in.source->endless && relay->in.moved_at > from)
		from = relay->in.moved_at;
	return clock_after(from, relay->rules.quit_after);
}

void
relay_ask(struct relay *relay, struct interest *interest, int64_t now)
{
	flow_ask(&relay->out, interest, now);
	flow_ask(&relay->in, interest, now);
	interest_until(interest, relay->grace_ends);
	interest_until(interest, relay->linger_ends);
	interest_until(interest, relay->drain_ends);
	interest_until(interest, relay_idle_ends(relay));
	if (!fault_is_set(&relay->cause))
		interest_until(interest, relay_quit_ends(relay));
}

/* IN has been long enough: what has arrived is still fetched. How much that is nobody can say of
 * messages, so there it has a moment. */
static bool
relay_stop_in(struct relay *relay, enum flow_stop stop, int64_t now)
{
	if (!flow_stop(&relay->in, stop))
		return false;
	if (relay->in.source->rmessages)
		relay->drain_ends = clock_after(now, RELAY_GRACE);
	return true;
}

/* The session has failed: nothing new is begun, and what is under way gets a moment to finish. The
 * remote side must not take what comes now for a good end. */
static void
relay_abandon(struct relay *relay, enum flow_stop in, int64_t now)
{
	relay->out.sink->half_close = false;
	(void)flow_stop(&relay->out, FLOW_STOP_NOW);
	(void)relay_stop_in(relay, in, now);
	relay->grace_ends = clock_after(now, RELAY_GRACE);
	relay->linger_ends = CLOCK_NEVER;
	/* What is left has its time from here. */
	relay->in.moved_at = now;
}

/* Takes a flow's fault as the cause, if it is the first. */
static bool
relay_take_fault(struct relay *relay, struct flow *flow, int64_t now)
{
	if (!fault_is_set(&flow->fault) || fault_is_set(&relay->cause))
		return false;
	fault_move(&relay->cause, &flow->fault);
	relay->failed = flow;
	relay_abandon(relay, FLOW_STOP_DRAINED, now);
	return true;
}

static bool
relay_check_quit(struct relay *relay, int64_t now)
{
	if (relay->out.source->eof && relay->input_ended_at == CLOCK_NEVER)
		relay->input_ended_at = now;
	if (now < relay_quit_ends(relay))
		return false;
	relay->quitting = true;
	if (relay->out.state != FLOW_DONE) {
		(void)fault_set(&relay->cause, STATUS_SEND, ETIMEDOUT,
			"send to %s: not all of it went out in time", relay->out.sink->name);
		relay_abandon(relay, FLOW_STOP_DRAINED, now);
	} else {
		(void)relay_stop_in(relay, FLOW_STOP_DRAINED, now);
	}
	return true;
}

/* Waiting for the arrival of what was sent is bounded only when nothing else is left to do, and
 * starts again whenever some of it has arrived. */
static bool
relay_check_linger(struct relay *relay, int64_t now)
{
	bool in = relay->in.state == FLOW_SHUTTING && relay->out.state == FLOW_DONE;
	bool out = relay->out.state == FLOW_SHUTTING &&
		(relay->in.state == FLOW_DONE || relay->rules.at_input_end != FLOW_GOES_ON);
	struct flow *flow = out ? &relay->out : &relay->in;
	const struct stream *sink = flow->sink;
	if (!in && !out) {
		relay->linger_ends = CLOCK_NEVER;
		return false;
	}
	if (relay->linger_ends == CLOCK_NEVER || relay->unarrived != sink->unarrived) {
		relay->unarrived = sink->unarrived;
		relay->linger_ends = clock_after(now, relay->rules.linger);
		return false;
	}
	if (now < relay->linger_ends)
		return false;
	relay->unconfirmed = true;
	(void)fault_set(&relay->cause, STATUS_SEND, 0,
		"send to %s: %zu bytes were not acknowledged in time", sink->name, sink->unarrived);
	relay_abandon(relay, FLOW_STOP_DRAINED, now);
	(void)flow_stop(flow, FLOW_STOP_DROP);
	return true;
}

/* Nothing has moved for too long: what could not be written all that time never will be, after a
 * failure neither. */
static bool
relay_check_idle(struct relay *relay, int64_t now)
{
	if (now < relay_idle_ends(relay))
		return false;
	(void)fault_set(&relay->cause, STATUS_TIMEOUT, 0,
		"wait for %s: nothing moved for %" PRId64 " ms", relay->out.sink->name,
		relay->rules.idle / CLOCK_MILLISECOND);
	bool changed = flow_stop(&relay->out, FLOW_STOP_DROP);
	return flow_stop(&relay->in, FLOW_STOP_DROP) || changed;
}

/* The grace is over: nothing is waited for but a local reader of what was already received, and not
 * even that in a hurry. */
static bool
relay_check_grace(struct relay *relay, int64_t now)
{
	bool changed = false;
	if (now >= relay->grace_ends) {
		relay->grace_ends = CLOCK_NEVER;
		changed |= flow_stop(&relay->out, FLOW_STOP_DROP);
		if (relay->hurries)
			changed |= flow_stop(&relay->in, FLOW_STOP_DROP);
	}
	if (now >= relay->drain_ends) {
		relay->drain_ends = CLOCK_NEVER;
		changed |= flow_stop(&relay->in, FLOW_STOP_NOW);
	}
	return changed;
}

/* Applies the rules to what the flows have come to. True if that changed what they should do. */
static bool
relay_apply_rules(struct relay *relay, int64_t now)
{
	bool changed = relay_take_fault(relay, &relay->out, now);
	changed |= relay_take_fault(relay, &relay->in, now);
	changed |= relay_check_grace(relay, now);
	if (relay_is_over(relay))
		return changed;
	if (relay->rules.receive_limit > 0 && relay->in.reads >= relay->rules.receive_limit) {
		changed |= flow_stop(&relay->in, FLOW_STOP_NOW);
		changed |= flow_stop(&relay->out, FLOW_STOP_NOW);
	}
	if (fault_is_set(&relay->cause))
		return relay_check_idle(relay, now) || changed;

	if (relay->in.source->eof)
		changed |= flow_stop(&relay->out, relay->rules.at_peer_end);
	if (relay->out.state == FLOW_DONE && relay->rules.send)
		changed |= relay_stop_in(relay, relay->rules.at_input_end, now);
	changed |= relay_check_quit(relay, now);
	if (!fault_is_set(&relay->cause))
		changed |= relay_check_linger(relay, now);
	if (!fault_is_set(&relay->cause))
		changed |= relay_check_idle(relay, now);
	return changed;
}

/* The last line of defence of the promise: no loss goes unreported. */
static void
relay_finish(struct relay *relay)
{
	const struct flow *flows[] = { &relay->out, &relay->in };
	for (size_t i = 0; i < 2; i++) {
		const struct flow *flow = flows[i];
		if (!fault_is_set(&relay->cause) &&
			(flow->read != flow->written || flow->lost != 0))
			(void)fault_set(&relay->cause, STATUS_INTERNAL, 0,
				"from %s to %s: %" PRIu64 " bytes read, %" PRIu64 " written",
				flow->source->name, flow->sink->name, flow->read, flow->written);
	}
	if (relay->cause.status == STATUS_SEND || relay->cause.status == STATUS_RECEIVE)
		fault_add(&relay->cause, " (%" PRIu64 " bytes sent, %" PRIu64 " bytes received)",
			relay->out.written,
			relay->in.carrier.message != NULL ? relay->in.carrier.taken
							  : relay->in.read);
	/* What was sent but not confirmed is left to the kernel; it may still arrive. */
	bool clean = !fault_is_set(&relay->cause) || relay->unconfirmed;
	relay->out.source->clean = relay->out.sink->clean = clean;
}

bool
relay_step(struct relay *relay, const struct interest *interest, int64_t now)
{
	do {
		flow_step(&relay->out, interest, now);
		flow_step(&relay->in, interest, now);
	} while (relay_apply_rules(relay, now));
	if (!relay_is_over(relay))
		return false;
	relay_finish(relay);
	return true;
}

void
relay_fail(struct relay *relay, struct fault *fault, int64_t now)
{
	/* After a failure it only says to hurry: the first cause stays. */
	if (fault_is_set(&relay->cause))
		fault_clear(fault);
	else
		fault_move(&relay->cause, fault);
	/* It may be told at every turn; the time to hurry begins once. */
	if (relay->hurries)
		return;
	relay_abandon(relay, FLOW_STOP_NOW, now);
	relay->hurries = true;
}
