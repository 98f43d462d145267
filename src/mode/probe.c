/*
 * Probing: whether ports are open. Many are probed at a time, and reported in the order of the
 * command line.
 *
 * A refusal is status 1; other failures keep their own status. A datagram socket is probed with an
 * empty datagram, and silence is a failure, as the port may be open or the packet lost.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/log.h"
#include "mode/mode.h"
#include "sys/sys.h"

/* The most ports at a time: fast without flooding either side. */
#define PROBE_MANY 64

/* Up to this number of ports those that are not open are listed without -v, too. */
#define PROBE_LISTED 10

enum probe_state { PROBE_DIALLING, PROBE_ASKED, PROBE_DONE };

struct probing;

struct probe {
	struct task task; /* first: found by its address */
	struct probing *probing;
	enum probe_state state;
	struct dial dial;
	size_t entry;
	int64_t began;      /* the attempt to connect, after the look-up of the name */
	struct fault fault; /* PROBE_DONE: the failure; unset: open */
};

struct probing {
	struct task task; /* first: found by its address */
	struct run *run;
	struct probe probes[PROBE_MANY]; /* of ports `reported` to `started`, by number modulo */
	size_t count;
	size_t started, reported;
	size_t max;           /* the most probes at a time */
	int stuck;            /* the descriptor that has no room for the next line; -1: none */
	struct resolve known; /* the addresses of the host, after the first probe */
	size_t silent;        /* ports reported as not open */
	bool listed;          /* each of them has a line of its own */
	struct fault failure; /* the first failure that was not a refusal, or else the first */
};

static void probe_advance(struct probing *probing);

static struct probe *
probe_at(struct probing *probing, size_t i)
{
	return &probing->probes[i % PROBE_MANY];
}

static void
probe_finish(struct probe *probe)
{
	struct fault *fault = &probe->fault;
	if (fault->status == STATUS_CONNECT && probe->dial.refused) {
		bool quiet = fault->quiet;
		fault_clear(fault);
		(void)fault_set(fault, STATUS_NO, 0, "%s: closed", probe->dial.name);
		fault->quiet = quiet;
	}
	engine_remove(&probe->probing->run->engine, &probe->task);
	probe->state = PROBE_DONE;
}

/* Connected; a datagram socket sends a probe, and tries the next address if it is refused. */
static enum io
probe_ask(struct probe *probe, int64_t now)
{
	const struct dial_config *config = &probe->dial.config;
	struct iovec nothing = { NULL, 0 };
	struct dial *dial = &probe->dial;
	enum io result = IO_OK;
	if (config->inherited != -1 && dial->error != 0)
		return IO_FAULT(
			&probe->fault, STATUS_RECEIVE, dial->error, "receive from %s", dial->name);
	if (config->transport->connected || config->transport->names == TRANSPORT_UNIX)
		return IO_OK;
	while (result == IO_OK) {
		if (sys_send(dial->fd, &nothing, 1, NULL, 0) != -1) {
			probe->state = PROBE_ASKED;
			return IO_AGAIN;
		}
		result = dial_refused(dial, errno, now, &probe->fault);
	}
	return result;
}

static void
probe_take(struct probe *probe, enum io result, int64_t now)
{
	probe->state = PROBE_DIALLING;
	if (result == IO_OK)
		result = probe_ask(probe, now);
	if (result != IO_AGAIN)
		probe_finish(probe);
}

/* Handles an answer, a refusal, or the timeout. */
static void
probe_wait(struct probe *probe, const struct pollset *pollset, int64_t now)
{
	struct dial *dial = &probe->dial;
	char byte;
	struct iovec piece = { &byte, sizeof byte };
	if (pollset_fired(pollset, probe->entry)) {
		ssize_t n = sys_receive(dial->fd, &piece, 1);
		if (n != -1)
			probe_finish(probe);
		else if (!sys_would_block(errno))
			probe_take(probe, dial_refused(dial, errno, now, &probe->fault), now);
	} else if (now >= probe->dial.config.deadline) {
		if (!probe->probing->run->config->rules.silence_is_open)
			(void)fault_set(&probe->fault, STATUS_TIMEOUT, 0,
				"probe %s: no answer, but no refusal either", dial->name);
		probe_finish(probe);
	}
}

static void
probe_ask_task(struct task *task, struct pollset *pollset, int64_t now)
{
	struct probe *probe = (struct probe *)task;
	(void)now;
	task->reopened = true;
	if (probe->state == PROBE_DIALLING) {
		dial_ask(&probe->dial, pollset);
		return;
	}
	probe->entry = pollset_ask(pollset, probe->dial.fd, POLLIN);
	pollset_until(pollset, probe->dial.config.deadline);
}

static bool
probe_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	(void)fault;
	struct probe *probe = (struct probe *)task;
	struct probing *probing = probe->probing;
	struct dial *dial = &probe->dial;
	if (dial->state == DIAL_RESOLVING)
		probe->began = now;
	if (probe->state == PROBE_DIALLING)
		probe_take(probe, dial_step(dial, pollset, now, &probe->fault), now);
	else
		probe_wait(probe, pollset, now);
	probe_advance(probing);
	return true;
}

static const struct task_ops probe_task = {
	.name = "probe", .ask = probe_ask_task, .step = probe_step
};

/* Starts the next probe; false if it has to wait. */
static bool
probe_begin(struct probing *probing)
{
	size_t i = probing->started;
	struct run *run = probing->run;
	const struct config *config = run->config;
	struct probe *probe = probe_at(probing, i);
	struct dial_config *wanted = &probe->dial.config;
	*probe = (struct probe){ .probing = probing,
		.dial = { .fd = -1 },
		.entry = POLLSET_NONE,
		.began = run->engine.now };
	*wanted = config_dial(config, run->engine.now);
	wanted->probe = true;
	if (config->ports.count > 0)
		wanted->to.port = config->ports.list[i];
	/* The first probe resolves the name. */
	if (i > 0)
		wanted->known = probing->reported > 0 ? &probing->known
						      : &probe_at(probing, 0)->dial.resolve;
	enum io result = dial_start(&probe->dial, run->engine.now, &probe->fault);
	/* Out of descriptors: retry when other probes have closed theirs. */
	if (result == IO_FAIL && probe->fault.status == STATUS_MEMORY &&
		probing->started > probing->reported) {
		fault_clear(&probe->fault);
		dial_close(&probe->dial);
		probing->max = probing->started - probing->reported;
		return false;
	}
	probing->started++;
	probe_take(probe, result, run->engine.now);
	if (probe->state != PROBE_DONE &&
		!engine_add(&run->engine, &probe->task, &probe_task, &probe->fault))
		probe_finish(probe);
	return true;
}

static void
probe_report_open(const struct probe *probe)
{
	char took[32];
	(void)snprintf(took, sizeof took, "%.1fms",
		(double)(clock_now() - probe->began) / CLOCK_MILLISECOND);
	dial_emit(&probe->dial,
		(struct event){ .kind = EVENT_probe_open,
			.always = probe->probing->count > 1,
			.detail = took },
		&probe->dial.peer);
}

static void
probe_report_failed(struct probing *probing, struct probe *probe)
{
	struct fault *fault = &probe->fault;
	if (probing->count > 1 && probe->dial.resolve.count > 0)
		event_emit(&(struct event){ .kind = EVENT_probe_failed,
			.always = probing->listed,
			.cause = fault->text });
	probing->silent++;
	if (!fault_is_set(&probing->failure) ||
		(probing->failure.status == STATUS_NO && fault->status != STATUS_NO)) {
		fault_clear(&probing->failure);
		fault_move(&probing->failure, fault);
	}
	fault_clear(fault);
}

/* The descriptor that the next line has to wait for: the lines were requested; -1: none. */
static int
probe_stuck(const struct probing *probing)
{
	if (probing->listed && log_is_stuck())
		return STDERR_FILENO;
	return probing->count > 1 && pollset_look(STDOUT_FILENO, POLLOUT) == 0 ? STDOUT_FILENO : -1;
}

/* Reports finished probes in order. */
static void
probe_report(struct probing *probing)
{
	probing->stuck = -1;
	while (probing->reported < probing->started &&
		probe_at(probing, probing->reported)->state == PROBE_DONE) {
		probing->stuck = probe_stuck(probing);
		if (probing->stuck != -1)
			return;
		struct probe *probe = probe_at(probing, probing->reported);
		if (fault_is_set(&probe->fault))
			probe_report_failed(probing, probe);
		else
			probe_report_open(probe);
		if (probing->reported++ == 0) {
			probing->known = probe->dial.resolve;
			probe->dial.resolve = (struct resolve){ .fd = -1 };
		}
		dial_close(&probe->dial);
	}
}

/* Whether another probe may start: the first alone, until the name is resolved. */
static bool
probe_may_begin(const struct probing *probing)
{
	return probing->started < probing->count &&
		probing->started - probing->reported < probing->max &&
		(probing->started == 0 || probing->reported > 0 ||
			probing->probes[0].dial.state != DIAL_RESOLVING);
}

/* Whether all are reported, or there is no address. */
static bool
probe_is_over(const struct probing *probing)
{
	return probing->reported == probing->count ||
		(probing->reported > 0 && probing->known.count == 0);
}

/* Starts and reports what is possible now. */
static void
probe_advance(struct probing *probing)
{
	size_t before;
	do {
		while (probe_may_begin(probing) && probe_begin(probing))
			continue;
		before = probing->reported;
		probe_report(probing);
	} while (probing->reported != before && !probe_is_over(probing));
	if (probe_is_over(probing))
		engine_remove(&probing->run->engine, &probing->task);
}

/* The task that waits for room for the next line. */
static void
probe_ask_all(struct task *task, struct pollset *pollset, int64_t now)
{
	const struct probing *probing = (struct probing *)task;
	(void)now;
	if (probing->stuck != -1)
		(void)pollset_ask(pollset, probing->stuck, POLLOUT);
}

static bool
probe_step_all(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct probing *probing = (struct probing *)task;
	struct engine *engine = &probing->run->engine;
	(void)pollset, (void)now;
	if (engine->end_signal != 0)
		return fault_set_signal(fault, engine->end_signal);
	if (engine->wants_report)
		event_emit(&(struct event){ .kind = EVENT_probe_stats,
			.count = probing->reported,
			.total = probing->count });
	engine->wants_report = false;
	probe_advance(probing);
	return true;
}

static const struct task_ops probe_all_task = {
	.name = "probes", .shared = true, .ask = probe_ask_all, .step = probe_step_all
};

/* Probes all ports. False if not enough are open, or with a fault if the run has failed. */
static bool
probe_all(struct probing *probing, struct fault *fault)
{
	struct engine *engine = &probing->run->engine;
	bool good = engine_add(engine, &probing->task, &probe_all_task, fault);
	if (good)
		probe_advance(probing);
	good = good && engine_run(engine, fault);
	engine_remove(engine, &probing->task);
	size_t needed = probing->run->config->rules.any_port ? 1 : probing->count;
	return good && probing->reported - probing->silent >= needed;
}

/* Sets the fault of a run in which not enough ports are open. */
static void
probe_explain(struct probing *probing, struct fault *fault)
{
	struct fault *failure = &probing->failure;
	size_t open = probing->count - probing->silent;
	bool closed = failure->status == STATUS_NO;
	if (probing->count > 1 && probing->known.count > 0) {
		(void)fault_set(fault, failure->status, 0, "%s: %zu of %zu ports open",
			probing->run->config->endpoint.host, open, probing->count);
		if (!closed && !probing->listed)
			fault_add(fault, "; %s", failure->text != NULL ? failure->text : "");
	} else if (!closed || event_wants(EVENT_probe_failed)) {
		fault_move(fault, failure);
	} else {
		(void)fault_set_quiet(fault, STATUS_NO);
	}
	fault->quiet |= failure->quiet;
}

static bool
probe_run(struct run *run, struct fault *fault)
{
	const struct config *config = run->config;
	struct probing *probing = calloc(1, sizeof *probing);
	if (probing == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "probe");
	probing->run = run;
	probing->count = config->ports.count > 0 ? config->ports.count : 1;
	probing->max = PROBE_MANY;
	probing->listed =
		probing->count > 1 && (probing->count <= PROBE_LISTED || config->verbose > 0);
	probing->known.fd = -1;
	bool open = probe_all(probing, fault);
	if (!open && !fault_is_set(fault) && probing->silent > 0)
		probe_explain(probing, fault);
	for (size_t i = probing->reported; i < probing->started; i++) {
		engine_remove(&run->engine, &probe_at(probing, i)->task);
		dial_close(&probe_at(probing, i)->dial);
		fault_clear(&probe_at(probing, i)->fault);
	}
	(void)event_check_output(fault);
	fault_clear(&probing->failure);
	resolve_close(&probing->known);
	free(probing);
	return open;
}

const struct mode probe_mode = { "probe", probe_run };
