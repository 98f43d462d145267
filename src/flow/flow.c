/* One direction; see flow.h. */
#include "flow/flow.h"

#include <poll.h>

#include "base/clock.h"
#include "stream/lender.h"
#include "sys/sys.h"

static void
flow_init(struct flow *flow, struct stream *source, struct stream *sink, int64_t now)
{
	*flow = (struct flow){
		.source = source,
		.sink = sink,
		.moved_at = now,
		.view = { .looked_at = now, .taken_at = now },
		.read_entry = POLLSET_NONE,
		.write_entry = POLLSET_NONE,
		.hangup_entry = POLLSET_NONE,
	};
}

bool
flow_open(struct flow *flow, struct stream *source, struct stream *sink,
	const struct flow_config *config, int64_t now, struct fault *fault)
{
	flow_init(flow, source, sink, now);
	flow->half_close = config->half_close;
	return channel_open(&flow->channel, source, sink, config, fault);
}

void
flow_open_idle(struct flow *flow, struct stream *source, struct stream *sink, int64_t now)
{
	flow_init(flow, source, sink, now);
	flow->state = FLOW_DONE;
}

void
flow_close(struct flow *flow)
{
	channel_close(&flow->channel);
	fault_clear(&flow->fault);
}

static bool
flow_has_data(const struct flow *flow)
{
	return flow->state < FLOW_SHUTTING &&
		(flow->sink->buffered || flow->channel.ops->has_data(&flow->channel));
}

static bool
flow_wants_read(const struct flow *flow)
{
	return flow->state == FLOW_OPEN && flow->channel.ops->has_room(&flow->channel);
}

/* Whether to read without waiting for the descriptor. A read that waits for output does wait. */
static bool
flow_reads_at_once(const struct flow *flow)
{
	bool input = (flow->source->read.events & POLLIN) != 0;
	return (input && stream_is_ready(flow->source)) || flow->channel.ready ||
		flow->stop == FLOW_STOP_DRAINED;
}

/* Whether to read although the low-water mark has not been reached. */
static bool
flow_is_late(const struct flow *flow, int64_t now)
{
	return flow->source->read.by != 0 && flow->source->read.by <= now;
}

/* Whether a gate holds the data back. */
static bool
flow_is_held(const struct flow *flow, int64_t now)
{
	return flow->channel.stages.count > 0 && stage_until(&flow->channel.stages) > now &&
		flow_has_data(flow);
}

void
flow_ask(struct flow *flow, struct pollset *pollset, int64_t now)
{
	const struct stream *source = flow->source, *sink = flow->sink;
	flow->read_entry = flow->write_entry = flow->hangup_entry = POLLSET_NONE;

	if (flow_wants_read(flow)) {
		if (source->read.at == 0 && flow_reads_at_once(flow))
			pollset_until(pollset, now);
		else
			flow->read_entry = stream_ask(&source->read, pollset);
		if (source->read.by != 0)
			pollset_until(pollset, source->read.by);
	}
	if (flow_is_held(flow, now)) {
		pollset_until(pollset, stage_until(&flow->channel.stages));
	} else if (flow_has_data(flow) || flow->state == FLOW_SHUTTING) {
		flow->write_entry = stream_ask(&sink->write, pollset);
	} else if (flow->state == FLOW_OPEN) {
		flow->hangup_entry = stream_ask(&sink->hangup, pollset);
	}
}

/* Whether to try an operation: its time has come, or its descriptor has fired. */
static bool
flow_is_due(int64_t *again, int64_t now, const struct pollset *pollset, size_t entry)
{
	if (*again == 0)
		return pollset_fired(pollset, entry);
	if (*again > now)
		return false;
	*again = 0;
	return true;
}

/* The sink has failed: the content of the channel is lost. */
static void
flow_break(struct flow *flow)
{
	flow->lost = flow->read - flow->written;
	flow->state = FLOW_DONE;
}

/* Adds the counts of the channel. */
static void
flow_count(struct flow *flow)
{
	flow->read += flow->channel.fetched;
	flow->reads += flow->channel.brought;
	flow->channel.fetched = 0;
	flow->channel.brought = 0;
}

static bool
flow_read(struct flow *flow, int64_t now)
{
	size_t got = 0;
	switch (flow->channel.ops->fill(&flow->channel, flow->source, &got, &flow->fault)) {
	case IO_OK:
		flow->read += got;
		flow_count(flow);
		flow->moved_at = now;
		return true;
	case IO_AGAIN:
		/* A source with a time to read again has data, only later. */
		if (flow->stop == FLOW_STOP_DRAINED && flow->source->read.at == 0)
			flow->state = FLOW_ENDING;
		break;
	case IO_END:
		flow->eof = true;
		flow->ended_at = now;
		flow->state = FLOW_ENDING;
		break;
	case IO_FAIL:
		/* A half-close would look like the normal end of the input. */
		flow->half_close = false;
		flow->ended_at = now;
		flow->state = FLOW_ENDING;
		break;
	}
	return false;
}

bool
flow_check(struct flow *flow, bool ended, struct fault *fault)
{
	return stage_check(&flow->channel.stages, stream_sender(flow->source), ended, fault);
}

static void
flow_write(struct flow *flow, int64_t now)
{
	size_t put = 0;
	struct stream *sink = flow->sink;
	enum io result = flow->channel.ops->has_data(&flow->channel)
		? channel_drain(&flow->channel, sink, now, &put, &flow->fault)
		: stream_write(sink, NULL, 0, &put, &flow->fault);
	if (result == IO_AGAIN)
		return;
	if (result != IO_OK) {
		flow_break(flow);
		return;
	}
	flow_count(flow);
	flow->written += put;
	flow->moved_at = now;
	if (!flow_check(flow, false, &flow->fault))
		flow_break(flow);
}

/* An incomplete message at the end is a failure. */
static void
flow_check_part(struct flow *flow)
{
	if (flow->channel.part == 0 || fault_is_set(&flow->fault))
		return;
	(void)fault_set(&flow->fault, STATUS_CUT, 0,
		"receive from %s: the session ended %zu bytes into a message",
		stream_sender(flow->source), flow->channel.part);
	flow->half_close = false;
}

/* The idle sink has an error or was hung up. IO_END: it is closed, and no written data is lost. */
static void
flow_look_at_sink(struct flow *flow)
{
	enum io result = stream_look(flow->sink, &flow->fault);
	if (result == IO_END)
		flow_check_part(flow);
	if (result == IO_END || result == IO_FAIL)
		flow_break(flow);
}

static void
flow_shut(struct flow *flow)
{
	if (stream_shut(flow->sink, flow->half_close, &flow->fault) != IO_AGAIN)
		flow->state = FLOW_DONE;
}

void
flow_step(struct flow *flow, const struct pollset *pollset, int64_t now)
{
	struct stream *source = flow->source, *sink = flow->sink;
	bool filled = false;

	if (flow_wants_read(flow) &&
		(flow_is_due(&source->read.at, now, pollset, flow->read_entry) ||
			(source->read.at == 0 &&
				(flow_reads_at_once(flow) || flow_is_late(flow, now)))))
		filled = flow_read(flow, now);

	/* Write data that was just read without polling first: mostly the sink has room. */
	if (flow_has_data(flow) && !flow_is_held(flow, now) &&
		(flow_is_due(&sink->write.at, now, pollset, flow->write_entry) ||
			(filled && sink->write.at == 0)))
		flow_write(flow, now);
	else if (flow->state == FLOW_OPEN && !flow_has_data(flow) &&
		flow_is_due(&sink->hangup.at, now, pollset, flow->hangup_entry))
		flow_look_at_sink(flow);

	if (flow->state == FLOW_ENDING && !flow_has_data(flow)) {
		flow_check_part(flow);
		if (flow_keeps_end(flow))
			flow->half_close = false;
		flow->state = FLOW_SHUTTING;
		flow_shut(flow);
	} else if (flow->state == FLOW_SHUTTING &&
		flow_is_due(&sink->write.at, now, pollset, flow->write_entry)) {
		flow_shut(flow);
	}
}

static int64_t
flow_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t
flow_idle_since(const struct flow *flow)
{
	int64_t since = flow_later(flow->moved_at, flow->view.taken_at);
	return flow_has_data(flow) ? flow_later(since, stage_until(&flow->channel.stages)) : since;
}

int64_t
flow_look_due(const struct flow *flow, int64_t every)
{
	const struct flow_view *view = &flow->view;
	bool waits = flow->written != view->written || view->untaken > 0 ||
		(flow->sink->caps.taken != NULL && flow_has_data(flow));
	return waits ? clock_after(flow_later(view->looked_at, flow->moved_at), every)
		     : CLOCK_NEVER;
}

void
flow_look(struct flow *flow, int64_t now)
{
	const struct stream *sink = flow->sink;
	struct flow_view *view = &flow->view, last = *view;
	*view = (struct flow_view){ now, last.taken_at, flow->written, 0, 0 };
	/* Before the first write, a pipe holds only data of other writers. */
	if (sink->write.fd == -1 || flow->written == 0 ||
		!sys_untaken(sink->write.fd, &view->untaken))
		view->untaken = 0;
	if (view->untaken < last.untaken) {
		view->taken_at = now;
		/* This is progress, too, for flows that wait for the same bus or sink. */
		if (flow->channel.lender != NULL)
			++*flow->channel.lender->taken;
		if (sink->caps.taken != NULL)
			++*sink->caps.taken;
	}
	if (sink->caps.taken != NULL)
		view->taken = *sink->caps.taken;
	/* The other side may have read data that was written since the last look at any time. */
	if (view->written != last.written || (view->taken != last.taken && flow_has_data(flow)))
		view->taken_at = now;
}

bool
flow_is_idle(const struct flow *flow)
{
	return flow->state == FLOW_OPEN && !flow_has_data(flow);
}

bool
flow_stop(struct flow *flow, enum flow_stop stop)
{
	if (flow->state == FLOW_DONE || flow->stop >= stop)
		return false;
	flow->stop = stop;
	stream_drain(flow->source);
	if (stop >= FLOW_STOP_NOW)
		stage_release(&flow->channel.stages);
	if (stop >= FLOW_STOP_NOW && flow->state == FLOW_OPEN)
		flow->state = FLOW_ENDING;
	if (stop == FLOW_STOP_DROP)
		flow_break(flow);
	return true;
}
