/* The cause that a relay reports; see relay_cause.h. */
#include "flow/relay_cause.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"

void
relay_cause_settle(const struct relay *relay, struct flow *flow)
{
	struct fault *fault = &flow->fault;
	bool sent = fault->status == STATUS_SEND;
	const struct stream *stream = sent ? flow->sink : flow->source;
	const struct stream_stats *stats = stream_stats(stream);
	if (stats->broken == 0 || (!sent && fault->status != STATUS_RECEIVE))
		return;
	const struct flow *sending = relay->out.sink == stream ? &relay->out : &relay->in;
	bool undelivered = sending->read != sending->written || stats->unarrived > 0;
	const struct flow *other = flow == &relay->out ? &relay->in : &relay->out;
	if (undelivered == sent || (sent && (other->eof || !relay->rules.receive)))
		return;
	fault_clear(fault);
	(void)fault_set(fault, undelivered ? STATUS_SEND : STATUS_RECEIVE,
		stats->broken == EPIPE ? ECONNRESET : stats->broken,
		undelivered ? "send to %s" : "receive from %s", stream->name);
}

void
relay_cause_set_late(struct relay *relay)
{
	const struct flow *out = &relay->out;
	uint64_t unsent = out->read - out->written, unarrived = stream_stats(out->sink)->unarrived;
	int64_t span = relay->rules.quit_after / CLOCK_MILLISECOND;
	if (unsent == 0 && unarrived == 0)
		(void)fault_set(&relay->cause, STATUS_SEND, 0,
			"send to %s: the end of input could not be sent for %" PRId64 " ms",
			out->sink->name, span);
	else
		(void)fault_set(&relay->cause, STATUS_SEND, 0,
			"send to %s: %" PRIu64 " bytes %s for %" PRId64 " ms", out->sink->name,
			unsent > 0 ? unsent : unarrived,
			unsent > 0 ? "could not be sent" : "were not acknowledged", span);
}

void
relay_cause_complete(struct relay *relay)
{
	const struct flow *flows[] = { &relay->out, &relay->in };
	for (size_t i = 0; i < 2; i++) {
		const struct flow *flow = flows[i];
		if (flow->read != flow->written || flow->lost != 0)
			(void)fault_set(&relay->cause, STATUS_INTERNAL, 0,
				"from %s to %s: %" PRIu64 " bytes read, %" PRIu64 " written",
				flow->source->name, flow->sink->name, flow->read, flow->written);
	}
	for (size_t i = 0; i < 2; i++) {
		uint64_t unsent = stream_stats(flows[i]->sink)->unsent;
		if (unsent > 0)
			(void)fault_set(&relay->cause, STATUS_SEND, 0,
				"send to %s: %" PRIu64 " datagram%s could not be sent",
				flows[i]->sink->name, unsent, unsent == 1 ? "" : "s");
	}
	if (relay->cause.status == STATUS_SEND || relay->cause.status == STATUS_RECEIVE)
		fault_add(&relay->cause, " (%" PRIu64 " bytes sent, %" PRIu64 " bytes received)",
			relay->out.written - stream_stats(relay->out.sink)->unsent_bytes,
			relay->in.channel.framed != NULL ? relay->in.channel.taken
							 : relay->in.read);
}

void
relay_cause_decide(struct relay *relay)
{
	const struct stream *ends[] = { relay->in.sink, relay->out.sink };
	for (size_t i = 0; i < 2; i++) {
		struct fault *verdict = stream_stats(ends[i])->verdict;
		if (verdict == NULL || !fault_is_set(verdict))
			continue;
		fault_clear(&relay->cause);
		fault_move(&relay->cause, verdict);
	}
}
