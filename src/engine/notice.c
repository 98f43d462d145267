/* Messages about the end of a session; see notice.h. */
#include "engine/notice.h"

#include "base/clock.h"
#include "base/event.h"
#include "engine/service.h"

/* How long a session may be idle without a message. */
#define NOTICE_PATIENCE (3 * CLOCK_SECOND)

/* The same with -v: long enough that input which is always ready is not said to be waited for. */
#define NOTICE_PATIENCE_VERBOSE (CLOCK_SECOND / 10)

void
notice_open(struct notice *notice, const struct config *config, bool connects)
{
	bool one = config->service->local == SERVICE_STDIO && !config->keep_open &&
		config->transport->connected;
	*notice = (struct notice){
		.config = one ? config : NULL, .connects = connects, .due = CLOCK_NEVER
	};
}

static enum notice_wait
notice_wait_of(const struct relay *relay)
{
	const struct flow *out = &relay->out, *in = &relay->in;
	if (fault_is_set(&relay->cause))
		return NOTICE_WAIT_NONE;
	if (in->state == FLOW_DONE && in->eof && out->stop == FLOW_GOES_ON && flow_is_idle(out))
		return NOTICE_WAIT_INPUT;
	if (out->state == FLOW_DONE && flow_keeps_end(out) && flow_is_idle(in) &&
		relay->rules.quit_after == CLOCK_NEVER)
		return in->read > 0 ? NOTICE_WAIT_PEER : NOTICE_WAIT_REPLY;
	return NOTICE_WAIT_NONE;
}

static void
notice_report_wait(const struct notice *notice, const struct relay *relay)
{
	static const enum event_kind kinds[] = {
		[NOTICE_WAIT_INPUT] = EVENT_input_awaited,
		[NOTICE_WAIT_REPLY] = EVENT_reply_awaited,
		[NOTICE_WAIT_PEER] = EVENT_end_awaited,
	};
	const struct event event = {
		.kind = kinds[notice->wait],
		.peer = relay->out.sink->name,
	};
	event_emit(&event);
}

static void
notice_look_at_wait(struct notice *notice, const struct relay *relay, int64_t now)
{
	enum notice_wait wait = notice_wait_of(relay);
	/* With -v soon, unless data may still arrive. */
	bool soon = wait == NOTICE_WAIT_INPUT && event_is_shown(EVENT_input_ended);
	int64_t patience = soon ? NOTICE_PATIENCE_VERBOSE : NOTICE_PATIENCE;
	if (wait == NOTICE_WAIT_NONE || notice->reported)
		notice->due = CLOCK_NEVER;
	else if (wait != notice->wait)
		notice->due = clock_after(now, patience);
	notice->wait = wait;
	if (now < notice->due)
		return;
	/* Data may have moved meanwhile. */
	int64_t due = clock_after(
		flow_idle_since(wait == NOTICE_WAIT_INPUT ? &relay->out : &relay->in), patience);
	if (now < due) {
		notice->due = due;
		return;
	}
	notice_report_wait(notice, relay);
	notice->reported = true;
	notice->due = CLOCK_NEVER;
}

static void
notice_report_end(struct notice *notice, const struct relay *relay, int64_t now)
{
	const struct flow *out = &relay->out, *in = &relay->in;
	bool before = in->eof && in->ended_at < now;
	if (notice->end_reported || !out->eof || out->state < FLOW_SHUTTING ||
		fault_is_set(&relay->cause))
		return;
	notice->end_reported = true;
	bool closes = notice->config->end == CONFIG_END_CLOSE, shuts = out->half_close;
	const struct event event = {
		.kind = EVENT_input_ended,
		.peer = out->sink->name,
		.detail = closes ? "closing"
			: shuts  ? "half-closed"
				 : "not half-closed",
		.cause = closes || shuts                     ? NULL
			: flow_keeps_end(out)                ? "an HTTP/1 request was sent"
			: notice->config->end_reason != NULL ? notice->config->end_reason
							     : "--end=keep",
	};
	event_emit(&event);
	notice->shut = out->half_close && out->read > 0 && !before;
	/* What came in the same step as the end of the peer may be its answer. */
	if (!in->eof || before)
		notice->received = in->read;
}

void
notice_ask(const struct notice *notice, struct pollset *pollset)
{
	if (notice->config != NULL)
		pollset_until(pollset, notice->due);
}

void
notice_step(struct notice *notice, const struct relay *relay, int64_t now)
{
	if (notice->config == NULL)
		return;
	notice_report_end(notice, relay, now);
	if (!notice->end_reported)
		notice->received = relay->in.read;
	notice_look_at_wait(notice, relay, now);
}

void
notice_close(const struct notice *notice, const struct relay *relay)
{
	/* Without a config there may be no relay. */
	if (notice->config != NULL && notice->connects && notice->shut &&
		!fault_is_set(&relay->cause) && relay->in.eof && relay->in.read == notice->received)
		event_emit(&(struct event){
			.kind = EVENT_reply_missing, .peer = relay->in.source->name });
}
