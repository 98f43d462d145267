/* One direction; see flow.h. */
#include "flow/flow.h"

#include "base/clock.h"

static void
flow_init(struct flow *flow, struct stream *source, struct stream *sink, int64_t now)
{
	*flow = (struct flow){
		.source = source,
		.sink = sink,
		.moved_at = now,
		.read_entry = INTEREST_NONE,
		.write_entry = INTEREST_NONE,
		.watch_entry = INTEREST_NONE,
	};
}

bool
flow_open(struct flow *flow, struct stream *source, struct stream *sink,
	const struct flow_config *config, int64_t now, struct fault *fault)
{
	const struct carrier_config carrier = {
		.size = config->buffer,
		.splice = config->splice,
		.crlf = config->crlf,
		.units = config->delay > 0,
		.lean = config->lean,
		.decode = config->decode,
		.encode = config->encode,
		.oversize = config->oversize,
		.most = config->most,
	};
	flow_init(flow, source, sink, now);
	flow->delay = config->delay;
	return carrier_open(&flow->carrier, source, sink, &carrier, fault);
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
	carrier_close(&flow->carrier);
	fault_clear(&flow->fault);
}

static bool
flow_has_data(const struct flow *flow)
{
	return flow->state < FLOW_SHUTTING &&
		(flow->sink->kept || flow->carrier.ops->has_data(&flow->carrier));
}

static bool
flow_wants_read(const struct flow *flow)
{
	return flow->state == FLOW_OPEN && flow->carrier.ops->has_room(&flow->carrier);
}

/* A read that need not wait for the descriptor. */
static bool
flow_reads_at_once(const struct flow *flow)
{
	return flow->source->pending || stream_has_news(flow->source) || flow->carrier.ready ||
		flow->stop == FLOW_STOP_DRAINED;
}

/* … or that has been waited for long enough. */
static bool
flow_is_late(const struct flow *flow, int64_t now)
{
	return flow->source->bulk.latest != 0 && flow->source->bulk.latest <= now;
}

void
flow_ask(struct flow *flow, struct interest *interest, int64_t now)
{
	const struct stream *source = flow->source, *sink = flow->sink;
	flow->read_entry = flow->write_entry = flow->watch_entry = INTEREST_NONE;

	if (flow_wants_read(flow)) {
		if (source->ragain != 0)
			interest_until(interest, source->ragain);
		else if (flow_reads_at_once(flow))
			interest_until(interest, now);
		else
			flow->read_entry = interest_ask(interest, source->rfd, source->rwait);
		if (source->bulk.latest != 0)
			interest_until(interest, source->bulk.latest);
	}
	if (flow_has_data(flow) || flow->state == FLOW_SHUTTING) {
		if (sink->wagain != 0)
			interest_until(interest, sink->wagain);
		else
			flow->write_entry = interest_ask(interest, sink->wfd, sink->wwait);
	} else if (flow->state == FLOW_OPEN && sink->watch) {
		if (sink->lagain != 0)
			interest_until(interest, sink->lagain);
		else
			flow->watch_entry = interest_watch(interest, sink->wfd);
	}
}

/* Whether an operation is worth trying: its time has come, or its descriptor has fired. */
static bool
flow_is_due(int64_t *again, int64_t now, const struct interest *interest, size_t entry)
{
	if (*again == 0)
		return interest_fired(interest, entry);
	if (*again > now)
		return false;
	*again = 0;
	return true;
}

/* The sink takes nothing any more: what it has not taken is lost. */
static void
flow_break(struct flow *flow)
{
	flow->lost += flow->carrier.ops->drop(&flow->carrier);
	flow->state = FLOW_DONE;
}

/* Counts what the carrier did beyond its answer. */
static void
flow_count(struct flow *flow)
{
	flow->read += flow->carrier.fetched;
	flow->reads += flow->carrier.brought;
	flow->carrier.fetched = 0;
	flow->carrier.brought = 0;
}

static bool
flow_read(struct flow *flow, int64_t now)
{
	size_t got = 0;
	switch (flow->carrier.ops->fill(&flow->carrier, flow->source, &got, &flow->fault)) {
	case IO_OK:
		flow->read += got;
		flow_count(flow);
		flow->moved_at = now;
		return true;
	case IO_AGAIN:
		/* "Later", with a time, is not "nothing". */
		if (flow->stop == FLOW_STOP_DRAINED && flow->source->ragain == 0)
			flow->state = FLOW_ENDING;
		break;
	case IO_END:
		flow->source->eof = true;
		flow->state = FLOW_ENDING;
		break;
	case IO_FAIL:
		/* Never the end that the other side should take for a good one. */
		flow->sink->half_close = false;
		flow->state = FLOW_ENDING;
		break;
	}
	return false;
}

static void
flow_write(struct flow *flow, int64_t now)
{
	size_t put = 0;
	struct stream *sink = flow->sink;
	enum io result = flow->carrier.ops->has_data(&flow->carrier)
		? flow->carrier.ops->drain(&flow->carrier, sink, &put, &flow->fault)
		: sink->ops->write(sink, NULL, 0, &put, &flow->fault);
	switch (result) {
	case IO_OK:
		flow_count(flow);
		flow->written += put;
		flow->moved_at = now;
		if (flow->delay > 0 && flow->carrier.unit_ended)
			sink->wagain = flow->paused_until = clock_after(now, flow->delay);
		break;
	case IO_AGAIN:
		break;
	case IO_END:
	case IO_FAIL:
		flow_break(flow);
		break;
	}
}

/* The idle sink has an error or was hung up. */
static void
flow_look_at_sink(struct flow *flow)
{
	size_t put;
	switch (flow->sink->ops->write(flow->sink, NULL, 0, &put, &flow->fault)) {
	case IO_OK:
	case IO_END:
		/* It says that all is well; asking for ever would only spin. */
		flow->sink->watch = false;
		break;
	case IO_AGAIN:
		break;
	case IO_FAIL:
		flow_break(flow);
		break;
	}
}

static void
flow_shut(struct flow *flow)
{
	switch (flow->sink->ops->shut(flow->sink, &flow->fault)) {
	case IO_OK:
	case IO_END:
		flow->state = FLOW_DONE;
		break;
	case IO_AGAIN:
		break;
	case IO_FAIL:
		flow->state = FLOW_DONE;
		break;
	}
}

/* A message that began and will not be whole is no good end. */
static void
flow_check_part(struct flow *flow)
{
	if (flow->carrier.part == 0 || fault_is_set(&flow->fault))
		return;
	(void)fault_set(&flow->fault, STATUS_CUT, 0,
		"receive from %s: the session ended %zu bytes into a message",
		flow->source->from != NULL ? flow->source->from : flow->source->name,
		flow->carrier.part);
	flow->sink->half_close = false;
}

void
flow_step(struct flow *flow, const struct interest *interest, int64_t now)
{
	struct stream *source = flow->source, *sink = flow->sink;
	bool filled = false;

	if (flow_wants_read(flow) &&
		(flow_is_due(&source->ragain, now, interest, flow->read_entry) ||
			(source->ragain == 0 &&
				(flow_reads_at_once(flow) || flow_is_late(flow, now)))))
		filled = flow_read(flow, now);

	/* What was just read is offered at once: mostly the sink takes it, without another turn. */
	if (flow_has_data(flow) &&
		(flow_is_due(&sink->wagain, now, interest, flow->write_entry) ||
			(filled && sink->wagain == 0)))
		flow_write(flow, now);
	else if (flow->state == FLOW_OPEN && sink->watch && !flow_has_data(flow) &&
		flow_is_due(&sink->lagain, now, interest, flow->watch_entry))
		flow_look_at_sink(flow);

	if (flow->state == FLOW_ENDING && !flow_has_data(flow)) {
		flow_check_part(flow);
		flow->state = FLOW_SHUTTING;
		flow_shut(flow);
	} else if (flow->state == FLOW_SHUTTING &&
		flow_is_due(&sink->wagain, now, interest, flow->write_entry)) {
		flow_shut(flow);
	}
}

int64_t
flow_idle_since(const struct flow *flow)
{
	bool paused = flow->paused_until > flow->moved_at && flow_has_data(flow);
	return paused ? flow->paused_until : flow->moved_at;
}

bool
flow_stop(struct flow *flow, enum flow_stop stop)
{
	if (flow->state == FLOW_DONE || flow->stop >= stop)
		return false;
	flow->stop = stop;
	flow->source->last = true;
	/* Whoever ends it does not want to wait for the pauses. */
	if (stop >= FLOW_STOP_NOW && flow->delay > 0) {
		if (flow->paused_until != 0)
			flow->sink->wagain = 1;
		flow->delay = flow->paused_until = 0;
		flow->carrier.units = false;
	}
	if (stop >= FLOW_STOP_NOW && flow->state == FLOW_OPEN)
		flow->state = FLOW_ENDING;
	if (stop == FLOW_STOP_DROP)
		flow_break(flow);
	return true;
}
