/*
 * The mode of -z: whether ports are open. Many are probed at a time, and reported in the order of
 * the command line.
 *
 * A refusal is status 1; other failures keep their own status.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/event.h"
#include "base/log.h"
#include "mode/mode.h"
#include "mode/probe.h"

/* The most ports at a time: fast without flooding either side. */
#define SCAN_MANY 64

/* Up to this number of ports those that are not open are listed without -v, too. */
#define SCAN_LISTED 10

struct scan {
	struct task task; /* first: found by its address */
	struct run *run;
	struct probe probes[SCAN_MANY]; /* of ports `reported` to `started`, by number modulo */
	struct probe_queue finished;
	size_t count;
	size_t started, reported;
	size_t max;           /* the most probes at a time */
	int stuck;            /* the descriptor that has no room for the next line; -1: none */
	struct resolve known; /* the addresses of the host, after the first probe */
	size_t silent;        /* ports reported as not open */
	bool listed;          /* each of them has a line of its own */
	struct fault failure; /* the first failure that was not a refusal, or else the first */
};

static struct probe *
scan_at(struct scan *scan, size_t i)
{
	return &scan->probes[i % SCAN_MANY];
}

/* Their order is that of the command line, not that in which they end. */
static void
scan_drain(struct scan *scan)
{
	while (probe_queue_take(&scan->finished) != NULL)
		continue;
}

/* Starts the next probe; false if it has to wait. */
static bool
scan_begin(struct scan *scan)
{
	size_t i = scan->started;
	const struct config *config = scan->run->config;
	struct probe *probe = scan_at(scan, i);
	struct dial_config wanted = config_dial(config, clock_now());
	if (config->ports.count > 0)
		wanted.to.port = config->ports.list[i];
	/* The first probe resolves the name. */
	if (i > 0)
		wanted.known = scan->reported > 0 ? &scan->known : &scan_at(scan, 0)->dial.resolve;
	probe_start(probe, &wanted, &scan->finished);
	scan_drain(scan);
	/* Out of descriptors: retry when other probes have closed theirs. */
	if (probe->phase == PROBE_DONE && probe->result.fault.status == STATUS_MEMORY &&
		scan->started > scan->reported) {
		probe_close(probe);
		scan->max = scan->started - scan->reported;
		return false;
	}
	scan->started++;
	return true;
}

/* Whether open ports have lines without -v. */
static bool
scan_prints(const struct scan *scan)
{
	return scan->count > 1 || scan->run->config->banner.wanted;
}

static void
scan_report_failed(struct scan *scan, struct probe *probe)
{
	struct fault *fault = &probe->result.fault;
	bool printed = scan->count > 1 && probe->dial.resolve.count > 0;
	probe_emit(probe,
		(struct event){ .kind = printed ? EVENT_probe_failed : EVENT_probe_ended,
			.always = printed && scan->listed });
	scan->silent++;
	if (!fault_is_set(&scan->failure) ||
		(scan->failure.status == STATUS_NO && fault->status != STATUS_NO)) {
		fault_clear(&scan->failure);
		fault_move(&scan->failure, fault);
	}
}

static void
scan_report_one(struct scan *scan, struct probe *probe)
{
	bool open = probe->result.state == PROBE_OPEN ||
		(probe->result.state == PROBE_OPEN_FILTERED &&
			scan->run->config->rules.silence_is_open);
	if (open)
		probe_emit(probe,
			(struct event){ .kind = EVENT_probe_open, .always = scan_prints(scan) });
	else
		scan_report_failed(scan, probe);
	if (scan->reported++ == 0) {
		scan->known = probe->dial.resolve;
		probe->dial.resolve = (struct resolve){ .fd = -1 };
	}
	probe_close(probe);
}

/* The descriptor that the next line has to wait for: the lines were requested; -1: none. */
static int
scan_stuck(const struct scan *scan)
{
	if (scan->listed && log_is_stuck())
		return STDERR_FILENO;
	return scan_prints(scan) && pollset_look(STDOUT_FILENO, POLLOUT) == 0 ? STDOUT_FILENO : -1;
}

/* Reports finished probes in order. */
static void
scan_report(struct scan *scan)
{
	scan_drain(scan);
	scan->stuck = -1;
	while (scan->reported < scan->started &&
		scan_at(scan, scan->reported)->phase == PROBE_DONE) {
		scan->stuck = scan_stuck(scan);
		if (scan->stuck != -1)
			return;
		scan_report_one(scan, scan_at(scan, scan->reported));
	}
}

/* Whether another probe may start: the first alone, until the name is resolved. */
static bool
scan_may_begin(const struct scan *scan)
{
	return scan->started < scan->count && scan->started - scan->reported < scan->max &&
		(scan->started == 0 || scan->reported > 0 ||
			scan->probes[0].dial.state != DIAL_RESOLVING);
}

/* Whether all are reported, or there is no address. */
static bool
scan_is_over(const struct scan *scan)
{
	return scan->reported == scan->count || (scan->reported > 0 && scan->known.count == 0);
}

/* Starts and reports what is possible now. */
static void
scan_advance(struct scan *scan)
{
	size_t before;
	do {
		while (scan_may_begin(scan) && scan_begin(scan))
			continue;
		before = scan->reported;
		scan_report(scan);
	} while (scan->reported != before && !scan_is_over(scan));
	if (scan_is_over(scan))
		engine_remove(&scan->run->engine, &scan->task);
}

/* The task that waits for room for the next line. */
static void
scan_ask_all(struct task *task, struct pollset *pollset, int64_t now)
{
	const struct scan *scan = (struct scan *)task;
	(void)now;
	if (scan->stuck != -1)
		(void)pollset_ask(pollset, scan->stuck, POLLOUT);
}

static bool
scan_step_all(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct scan *scan = (struct scan *)task;
	struct engine *engine = &scan->run->engine;
	(void)pollset, (void)now;
	if (engine->end_signal != 0)
		return fault_set_signal(fault, engine->end_signal);
	if (engine->wants_report)
		event_emit(&(struct event){
			.kind = EVENT_probe_stats, .count = scan->reported, .total = scan->count });
	engine->wants_report = false;
	scan_advance(scan);
	return true;
}

static const struct task_ops scan_all_task = {
	.name = "probes", .shared = true, .ask = scan_ask_all, .step = scan_step_all
};

/* Probes all ports. False if not enough are open, or with a fault if the run has failed. */
static bool
scan_all(struct scan *scan, struct fault *fault)
{
	struct engine *engine = &scan->run->engine;
	bool good = engine_add(engine, &scan->task, &scan_all_task, fault);
	if (good)
		scan_advance(scan);
	good = good && engine_run(engine, fault);
	engine_remove(engine, &scan->task);
	size_t needed = scan->run->config->rules.any_port ? 1 : scan->count;
	return good && scan->reported - scan->silent >= needed;
}

/* Sets the fault of a run in which not enough ports are open. */
static void
scan_explain(struct scan *scan, struct fault *fault)
{
	struct fault *failure = &scan->failure;
	size_t open = scan->count - scan->silent;
	bool closed = failure->status == STATUS_NO;
	if (scan->count > 1 && scan->known.count > 0) {
		(void)fault_set(fault, failure->status, 0, "%s: %zu of %zu ports open",
			scan->run->config->endpoint.host, open, scan->count);
		if (!closed && !scan->listed)
			fault_add(fault, "; %s", failure->text != NULL ? failure->text : "");
	} else if (!closed || event_is_shown(EVENT_probe_failed)) {
		fault_move(fault, failure);
	} else {
		(void)fault_set_quiet(fault, STATUS_NO);
	}
	fault->quiet |= failure->quiet;
}

static bool
scan_run(struct run *run, struct fault *fault)
{
	const struct config *config = run->config;
	struct scan *scan = calloc(1, sizeof *scan);
	if (scan == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "probe");
	scan->run = run;
	scan->finished = (struct probe_queue){ .engine = &run->engine,
		.owner = &scan->task,
		.empty = config->rules.silence_is_open,
		.banner = &config->banner };
	scan->count = config->ports.count > 0 ? config->ports.count : 1;
	/* The lines of nc for failed addresses are printed when they happen: keep their order. */
	scan->max = config->style == EVENT_STYLE_NC && config->verbose > 0 ? 1 : SCAN_MANY;
	scan->listed = scan->count > 1 && (scan->count <= SCAN_LISTED || config->verbose > 0);
	scan->known.fd = -1;
	bool open = scan_all(scan, fault);
	if (!open && !fault_is_set(fault) && scan->silent > 0)
		scan_explain(scan, fault);
	for (size_t i = scan->reported; i < scan->started; i++)
		probe_close(scan_at(scan, i));
	(void)event_check_output(fault);
	fault_clear(&scan->failure);
	resolve_close(&scan->known);
	free(scan);
	return open;
}

const struct mode scan_mode = { "scan", scan_run };
