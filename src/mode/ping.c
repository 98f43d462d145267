/*
 * The mode of --ping: connects again and again, prints a line for each try, and statistics at the
 * end, which a signal may bring about.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/latency.h"
#include "mode/mode.h"
#include "mode/probe.h"

struct ping {
	struct task task; /* first: found by its address */
	struct run *run;
	const struct config_repeat *config;
	struct probe_queue finished;
	struct probe probe;
	bool trying;            /* the probe runs, or its result is not printed yet */
	bool answered;          /* the probe is done */
	int64_t begin, next_at; /* of the first and the next try */
	struct latency latency;
	char *target;           /* owned */
	enum probe_state state; /* of the last try that failed */
	struct fault last;      /* of the last try that failed */
};

static void
ping_try(struct ping *ping, int64_t now)
{
	const struct target *target = &ping->run->config->targets.list[0];
	uint16_t port = target->ports.count > 0 ? target->ports.list[0] : 0;
	struct dial_config wanted = config_dial_target(ping->run->config, target, port, now);
	ping->trying = true;
	probe_start(&ping->probe, &wanted, target->secure, &ping->finished);
}

/* Prints the result of a try and counts it. False and a fault if it cannot be printed. */
static bool
ping_report(struct ping *ping, int64_t now, struct fault *fault)
{
	struct probe *probe = &ping->probe;
	struct probe_result *result = &probe->result;
	uint64_t number = ping->latency.tries + 1;
	if (result->state == PROBE_OPEN) {
		probe_emit(probe, (struct event){ .kind = EVENT_ping_open, .count = number });
		latency_add(&ping->latency, result->connect_time);
		/* Leave no connection in TIME_WAIT: there may be a thousand a second. */
		probe->reset = true;
	} else {
		probe_emit(probe,
			(struct event){ .kind = EVENT_ping_failed,
				.count = number,
				.detail = result->state == PROBE_CLOSED ? NULL
									: result->fault.text });
		latency_fail(&ping->latency);
		ping->state = result->state;
		fault_clear(&ping->last);
		fault_move(&ping->last, &result->fault);
	}
	probe_close(probe);
	ping->trying = ping->answered = false;
	ping->next_at = clock_scheduled(ping->begin, ping->config->interval, ping->next_at, now);
	return event_check_output(fault);
}

/* The parts of a percentage in parts per million, "12.34", rounded down. */
static const char *
ping_percent(uint64_t share, char text[static 16])
{
	unsigned whole = (unsigned)(share / 10000), rest = (unsigned)(share / 100 % 100);
	(void)snprintf(text, 16, rest == 0 ? "%u" : "%u.%02u", whole, rest);
	return text;
}

/* Prints the statistics. */
static void
ping_sum_up(const struct ping *ping)
{
	const struct latency *latency = &ping->latency;
	char loss[16], line[LATENCY_LINE];
	struct event event = {
		.kind = EVENT_ping_summary,
		.target = ping->target,
		.total = latency->tries,
		.failed = latency->failed,
		.min_time = (uint64_t)latency->min,
		.mean_time = (uint64_t)latency_mean(latency),
		.p50_time = (uint64_t)latency_percentile(latency, 50),
		.p95_time = (uint64_t)latency_percentile(latency, 95),
		.max_time = (uint64_t)latency->max,
		.jitter_time = (uint64_t)latency_jitter(latency),
	};
	if (latency->tries > 0)
		event.detail = ping_percent(latency_loss(latency), loss);
	event_emit(&event);
	if (latency->failed == latency->tries)
		return;
	event.kind = EVENT_ping_times;
	event_emit(&event);
	for (size_t i = 0; isatty(STDOUT_FILENO) && latency_row(latency, i, line); i++)
		event_emit(&(struct event){ .kind = EVENT_ping_histogram, .detail = line });
}

/* The status of a ping that failed. Loss is an answer about the target; if no try got that far, the
 * last failure has a status of its own, as with -z. */
static enum status
ping_status(const struct ping *ping)
{
	if (ping->latency.failed < ping->latency.tries)
		return STATUS_NO;
	switch (ping->state) {
	case PROBE_OPEN:
	case PROBE_CLOSED:
	case PROBE_FILTERED:
	case PROBE_UNREACHABLE:
	case PROBE_OPEN_FILTERED:
		break;
	case PROBE_REFUSED_BY_TLS:
	case PROBE_REFUSED_BY_PROXY:
	case PROBE_UNRESOLVED:
	case PROBE_ERROR:
		return ping->last.status;
	}
	return STATUS_NO;
}

/* The tries are over. False and a fault if too many of them failed. */
static bool
ping_result(const struct ping *ping, struct fault *fault)
{
	const struct latency *latency = &ping->latency;
	const struct config_repeat *config = ping->config;
	char loss[16], most[16];
	bool good = config->limits_loss
		? latency->failed * LATENCY_ALL <= config->max_loss * latency->tries
		: latency->failed < latency->tries;
	if (latency->tries == 0)
		return fault_set_signal(fault, ping->run->engine.end_signal);
	if (good)
		return true;
	(void)fault_set(fault, ping_status(ping), 0, "%s; %s%% of the tries failed",
		ping->last.text, ping_percent(latency_loss(latency), loss));
	if (config->limits_loss)
		fault_add(fault, ", more than %s%%", ping_percent(config->max_loss, most));
	return false;
}

/* Whether a line of output would have to wait. */
static bool
ping_is_stuck(void)
{
	return pollset_look(STDOUT_FILENO, POLLOUT) == 0;
}

static void
ping_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	const struct ping *ping = (struct ping *)task;
	(void)now;
	if (ping->answered)
		(void)pollset_ask(pollset, STDOUT_FILENO, POLLOUT);
	else if (!ping->trying)
		pollset_until(pollset, ping->next_at);
}

static bool
ping_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct ping *ping = (struct ping *)task;
	struct engine *engine = &ping->run->engine;
	(void)pollset;
	if (engine->wants_report)
		event_emit(&(struct event){ .kind = EVENT_ping_stats,
			.target = ping->target,
			.total = ping->latency.tries,
			.failed = ping->latency.failed });
	engine->wants_report = false;
	if (probe_queue_take(&ping->finished) != NULL)
		ping->answered = true;
	if (ping->answered && !ping_is_stuck() && !ping_report(ping, now, fault))
		return false;
	if (engine->end_signal != 0 || ping->latency.tries == ping->config->tries)
		engine_remove(engine, task);
	else if (!ping->trying && now >= ping->next_at)
		ping_try(ping, now);
	return true;
}

static const struct task_ops ping_task = { .name = "ping", .ask = ping_ask, .step = ping_step };

static bool
ping_all(struct ping *ping, struct fault *fault)
{
	struct engine *engine = &ping->run->engine;
	ping->begin = ping->next_at = clock_now();
	bool done = engine_add(engine, &ping->task, &ping_task, fault) && engine_run(engine, fault);
	engine_remove(engine, &ping->task);
	/* The reader of the output may not read it any more after a signal. */
	if (done && engine->end_signal != 0 && ping_is_stuck())
		return fault_set_signal(fault, engine->end_signal);
	if (done)
		ping_sum_up(ping);
	return done && event_check_output(fault) && ping_result(ping, fault);
}

static bool
ping_run(struct run *run, struct fault *fault)
{
	struct ping ping = { .run = run, .config = &run->config->repeat };
	const struct target *first = &run->config->targets.list[0];
	struct endpoint target = first->endpoint;
	if (first->ports.count > 0)
		target.port = first->ports.list[0];
	ping.finished = (struct probe_queue){ .engine = &run->engine,
		.owner = &ping.task,
		.tls = &run->config->tls,
		.proxies = &run->config->proxies };
	ping.target = endpoint_print(&target);
	bool good = ping.target != NULL && latency_open(&ping.latency);
	good = good ? ping_all(&ping, fault) : fault_set(fault, STATUS_MEMORY, ENOMEM, "ping");
	probe_close(&ping.probe);
	fault_clear(&ping.last);
	latency_close(&ping.latency);
	free(ping.target);
	return good;
}

const struct mode ping_mode = { .name = "ping", .run = ping_run };
