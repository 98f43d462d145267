/* Two flows and the rules between them; see relay.h. */
#include "flow/relay.h"

#include <inttypes.h>

#include "base/clock.h"
#include "flow/relay_cause.h"

bool
relay_open(struct relay *relay, struct stream *local, struct stream *remote,
	const struct relay_rules *rules, int64_t now, struct fault *fault)
{
	*relay = (struct relay){
		.rules = *rules,
		.input_ended_at = CLOCK_NEVER,
		.abandoned_at = CLOCK_NEVER,
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

/* stream_watch is called this long after the first end: most sessions are over by then, and save
 * its system calls. */
#define RELAY_WATCH CLOCK_SECOND

/* Looks at the kernel's buffers within the span of a limit. A limit takes effect late by this part
 * of it, never early. */
#define RELAY_LOOKS 16

static bool
relay_is_over(const struct relay *relay)
{
	return relay->out.state == FLOW_DONE && relay->in.state == FLOW_DONE;
}

/* After the end of local input, silence is the normal end of a peer that cannot signal its end
 * (datagrams). The quit time is its limit. */
static bool
relay_awaits_silence(const struct relay *relay)
{
	return relay->in.source->caps.endless && relay->input_ended_at != CLOCK_NEVER &&
		!relay->quitting && relay->out.state == FLOW_DONE &&
		relay->rules.quit_after <= relay->rules.idle && !fault_is_set(&relay->cause);
}

static int64_t
relay_idle_span(const struct relay *relay)
{
	int64_t idle = relay_awaits_silence(relay) ? CLOCK_NEVER : relay->rules.idle;
	/* A program may wait for its output to be read, which no longer happens. */
	if (relay->rules.served && fault_is_set(&relay->cause))
		idle = clock_earlier(idle, relay->rules.linger);
	/* Stopping mid-message would corrupt the next client's output. */
	return relay->in.sink->mid_message ? CLOCK_NEVER : idle;
}

static int64_t
relay_idle_ends(const struct relay *relay)
{
	int64_t out = flow_idle_since(&relay->out), in = flow_idle_since(&relay->in);
	return clock_after(out > in ? out : in, relay_idle_span(relay));
}

/* Whether nothing is left to send, and received data is discarded. */
static bool
relay_is_unwanted(const struct relay *relay)
{
	return stream_stats(relay->in.sink)->discarding && relay->out.state == FLOW_DONE;
}

static int64_t
relay_quit_span(const struct relay *relay)
{
	int64_t span = relay->rules.quit_after;
	/* Closing at once could destroy data that the peer has not read. */
	return relay_is_unwanted(relay) ? clock_earlier(span, RELAY_GRACE) : span;
}

/* When the quit time ends IN: counted from the end of local input, from the last progress of OUT,
 * or from the last message of a peer that cannot signal its end. */
static int64_t
relay_quit_ends(const struct relay *relay)
{
	int64_t from = relay->input_ended_at;
	if (from == CLOCK_NEVER || relay->quitting || relay->in.state == FLOW_DONE)
		return CLOCK_NEVER;
	if (flow_idle_since(&relay->out) > from)
		from = flow_idle_since(&relay->out);
	if (relay->in.source->caps.endless && !relay_is_unwanted(relay) &&
		relay->in.moved_at > from)
		from = relay->in.moved_at;
	return clock_after(from, relay_quit_span(relay));
}

/* After a signal the grace is fixed; after a failure it restarts with each progress of OUT. */
static int64_t
relay_grace_ends(const struct relay *relay)
{
	int64_t from = relay->abandoned_at, out = flow_idle_since(&relay->out);
	if (from == CLOCK_NEVER)
		return CLOCK_NEVER;
	return clock_after(relay->aborting || out < from ? from : out, RELAY_GRACE);
}

static int64_t
relay_watch_due(const struct relay *relay)
{
	int64_t out = relay->out.ended_at, in = relay->in.ended_at;
	int64_t first = out == 0 || (in != 0 && in < out) ? in : out;
	return first == 0 || relay->watched ? CLOCK_NEVER : clock_after(first, RELAY_WATCH);
}

/* One direction has ended: from now on perhaps only a peer can end the session. */
static void
relay_watch(struct relay *relay, int64_t now)
{
	if (now < relay_watch_due(relay))
		return;
	relay->watched = true;
	stream_watch(relay->out.source);
	stream_watch(relay->out.sink);
}

/* How often to look at the kernel's buffers: a part of the shortest limit in force. */
static int64_t
relay_look_every(const struct relay *relay)
{
	int64_t span = relay_idle_span(relay);
	if (relay->abandoned_at != CLOCK_NEVER)
		span = clock_earlier(span, RELAY_GRACE);
	if (!fault_is_set(&relay->cause) && relay_quit_ends(relay) != CLOCK_NEVER)
		span = clock_earlier(span, relay_quit_span(relay));
	if (span == CLOCK_NEVER)
		return CLOCK_NEVER;
	span /= RELAY_LOOKS;
	return span > CLOCK_MILLISECOND ? span : CLOCK_MILLISECOND;
}

/* Looks at the kernel's buffers when that is due, and before a limit takes effect. */
static void
relay_look(struct relay *relay, int64_t now)
{
	struct flow *flows[] = { &relay->out, &relay->in };
	int64_t every = relay_look_every(relay);
	if (every == CLOCK_NEVER)
		return;
	if (now >= relay_idle_ends(relay) || now >= relay_quit_ends(relay) ||
		now >= relay_grace_ends(relay))
		every = 0;
	for (size_t i = 0; i < 2; i++)
		if (now > flows[i]->view.looked_at && now >= flow_look_due(flows[i], every))
			flow_look(flows[i], now);
}

void
relay_ask(struct relay *relay, struct pollset *pollset, int64_t now)
{
	flow_ask(&relay->out, pollset, now);
	flow_ask(&relay->in, pollset, now);
	pollset_until(pollset, relay_grace_ends(relay));
	pollset_until(pollset, relay->linger_ends);
	pollset_until(pollset, relay->drain_ends);
	pollset_until(pollset, relay_idle_ends(relay));
	pollset_until(pollset, relay_watch_due(relay));
	int64_t every = relay_look_every(relay);
	pollset_until(pollset, flow_look_due(&relay->out, every));
	pollset_until(pollset, flow_look_due(&relay->in, every));
	if (!fault_is_set(&relay->cause))
		pollset_until(pollset, relay_quit_ends(relay));
}

/* Stops IN; data that has arrived is still read. The amount of arrived messages cannot be queried,
 * so they are read for a limited time. */
static bool
relay_stop_in(struct relay *relay, enum flow_stop stop, int64_t now)
{
	if (!flow_stop(&relay->in, stop))
		return false;
	if (relay->in.source->caps.messages)
		relay->drain_ends = clock_after(now, RELAY_GRACE);
	return true;
}

/* The session has failed: data in transit gets the grace, and nothing new is read. Neither side may
 * get a clean end from now on. */
static void
relay_abandon(struct relay *relay, enum flow_stop in, int64_t now)
{
	relay->out.half_close = relay->in.half_close = false;
	(void)flow_stop(&relay->out, FLOW_STOP_NOW);
	(void)relay_stop_in(relay, in, now);
	relay->abandoned_at = now;
	relay->linger_ends = CLOCK_NEVER;
	/* The idle limit for the remaining data starts here. */
	relay->in.moved_at = now;
}

/* Moves the fault of a flow to the cause, if it is the first. */
static bool
relay_take_fault(struct relay *relay, struct flow *flow, int64_t now)
{
	if (!fault_is_set(&flow->fault) || fault_is_set(&relay->cause))
		return false;
	relay_cause_settle(relay, flow);
	fault_move(&relay->cause, &flow->fault);
	relay_abandon(relay, FLOW_STOP_DRAINED, now);
	return true;
}

static bool
relay_check_quit(struct relay *relay, int64_t now)
{
	if (relay->out.eof && relay->input_ended_at == CLOCK_NEVER)
		relay->input_ended_at = now;
	if (now < relay_quit_ends(relay))
		return false;
	bool silent = relay_awaits_silence(relay);
	relay->quitting = true;
	if (relay->out.state != FLOW_DONE) {
		relay_cause_set_late(relay);
		relay_abandon(relay, FLOW_STOP_DRAINED, now);
	} else {
		(void)relay_stop_in(relay, FLOW_STOP_DRAINED, now);
		/* The idle limit was suspended; it applies to the remaining data. */
		if (silent)
			relay->in.moved_at = now;
	}
	return true;
}

/* The wait for acknowledgements is bounded only when nothing else is left to do, and starts again
 * with each progress. */
static bool
relay_check_linger(struct relay *relay, int64_t now)
{
	bool in = relay->in.state == FLOW_SHUTTING && relay->out.state == FLOW_DONE;
	bool out = relay->out.state == FLOW_SHUTTING &&
		(relay->in.state == FLOW_DONE || relay->rules.at_input_end != FLOW_GOES_ON);
	struct flow *flow = out ? &relay->out : &relay->in;
	size_t unarrived = stream_stats(flow->sink)->unarrived;
	if (!in && !out) {
		relay->linger_ends = CLOCK_NEVER;
		return false;
	}
	if (relay->linger_ends == CLOCK_NEVER || relay->unarrived != unarrived) {
		relay->unarrived = unarrived;
		relay->linger_ends = clock_after(now, relay->rules.linger);
		return false;
	}
	if (now < relay->linger_ends)
		return false;
	relay->unconfirmed = true;
	(void)fault_set(&relay->cause, STATUS_SEND, 0,
		"send to %s: %zu bytes were not acknowledged in time", flow->sink->name, unarrived);
	relay_abandon(relay, FLOW_STOP_DRAINED, now);
	(void)flow_stop(flow, FLOW_STOP_DROP);
	return true;
}

/* Whether all that was read has been written and acknowledged. */
static bool
relay_is_delivered(const struct relay *relay)
{
	const struct flow *out = &relay->out, *in = &relay->in;
	return out->read == out->written && in->read == in->written &&
		stream_stats(out->sink)->unarrived == 0;
}

/* Nothing has moved for the idle limit: discard the remaining data, also after a failure. */
static bool
relay_check_idle(struct relay *relay, int64_t now)
{
	if (now < relay_idle_ends(relay))
		return false;
	if (relay->rules.ends_idle && !fault_is_set(&relay->cause) && relay_is_delivered(relay)) {
		bool stopped = flow_stop(&relay->out, FLOW_STOP_NOW);
		/* The limit for the rest starts here. */
		relay->in.moved_at = now;
		return relay_stop_in(relay, FLOW_STOP_DRAINED, now) || stopped;
	}
	(void)fault_set(&relay->cause, STATUS_TIMEOUT, 0,
		"wait for %s: nothing moved for %" PRId64 " ms", relay->out.sink->name,
		relay->rules.idle / CLOCK_MILLISECOND);
	bool changed = flow_stop(&relay->out, FLOW_STOP_DROP);
	return flow_stop(&relay->in, FLOW_STOP_DROP) || changed;
}

/* The grace is over: wait only for the local reader of received data, and not when aborting. */
static bool
relay_check_grace(struct relay *relay, int64_t now)
{
	bool changed = false;
	if (now >= relay_grace_ends(relay)) {
		relay->abandoned_at = CLOCK_NEVER;
		changed |= flow_stop(&relay->out, FLOW_STOP_DROP);
		if (relay->aborting)
			changed |= flow_stop(&relay->in, FLOW_STOP_DROP);
	}
	if (now >= relay->drain_ends) {
		relay->drain_ends = CLOCK_NEVER;
		changed |= flow_stop(&relay->in, FLOW_STOP_NOW);
	}
	return changed;
}

/* Applies the rules to the state of the flows. True if that changed a flow, which needs a step. */
static bool
relay_apply_rules(struct relay *relay, int64_t now)
{
	relay_look(relay, now);
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
	/* If OUT is the only flow, the peer is its source. */
	if (relay->rules.receive ? relay->in.eof : relay->out.eof)
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

bool
relay_check(struct relay *relay, struct fault *fault)
{
	return flow_check(&relay->out, true, fault) && flow_check(&relay->in, true, fault);
}

bool
relay_step(struct relay *relay, const struct pollset *pollset, int64_t now)
{
	relay_watch(relay, now);
	do {
		flow_step(&relay->out, pollset, now);
		flow_step(&relay->in, pollset, now);
	} while (relay_apply_rules(relay, now));
	if (!relay_is_over(relay))
		return false;
	relay_cause_complete(relay);
	if (!fault_is_set(&relay->cause))
		(void)relay_check(relay, &relay->cause);
	/* Data that was sent but not acknowledged may still arrive: no reset. */
	relay->clean = !fault_is_set(&relay->cause) || relay->unconfirmed;
	relay_cause_decide(relay);
	return true;
}

void
relay_fail(struct relay *relay, struct fault *fault, int64_t now)
{
	fault_move(&relay->cause, fault);
	/* Callers may repeat this at every turn; the grace starts once. */
	if (relay->aborting)
		return;
	relay_abandon(relay, FLOW_STOP_NOW, now);
	relay->aborting = true;
}
