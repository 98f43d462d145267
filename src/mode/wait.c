/*
 * The mode of --wait-for: tries targets again until all of them, or with --any one, are open, or
 * with --until-closed are not. Then a program may take the place of this process.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/signals.h"
#include "mode/mode.h"
#include "mode/probe.h"

/* The most reasons in the message of a wait that failed. */
#define WAIT_REASONS 8

struct wait_target {
	struct probe probe; /* first: found by its address */
	const struct target *of;
	uint16_t port;   /* unless it is that of its endpoint */
	bool trying;     /* the probe is not done */
	bool done;       /* the target is in the wanted state */
	int64_t next_at; /* when the next try begins, if the last one has ended */
	uint64_t tries;
	enum probe_state state; /* of the last try */
	struct fault reason;    /* of the last try that failed */
};

struct wait {
	struct task task; /* first: found by its address */
	struct run *run;
	const struct config_repeat *config;
	struct probe_queue finished;
	struct wait_target *targets; /* owned */
	size_t count, left;          /* left: that are not done */
	size_t enough;               /* the wait is over if this number is left */
	size_t trying;
	int64_t deadline;
};

static bool
wait_is_over(const struct wait *wait)
{
	return wait->left <= wait->enough;
}

/* Whether the result is what is waited for. An unresolved name or a failure of this machine says
 * nothing about the target. */
static bool
wait_is_wanted(const struct wait *wait, const struct probe_result *result)
{
	switch (result->state) {
	case PROBE_OPEN:
		return !wait->config->until_closed;
	case PROBE_CLOSED:
	case PROBE_FILTERED:
	case PROBE_UNREACHABLE:
		return wait->config->until_closed;
	case PROBE_REFUSED_BY_TLS:
	case PROBE_REFUSED_BY_PROXY:
	case PROBE_OPEN_FILTERED:
	case PROBE_UNRESOLVED:
	case PROBE_ERROR:
		break;
	}
	return false;
}

/* Keeps why the target is not in the wanted state. A timeout at the end of the wait says less than
 * an earlier reason. */
static void
wait_keep_reason(struct wait *wait, struct wait_target *target, int64_t now)
{
	struct fault *fault = &target->probe.result.fault;
	bool cut = now >= wait->deadline && fault->status == STATUS_TIMEOUT;
	if (!fault_is_set(fault))
		(void)fault_set(fault, STATUS_NO, 0, "%s: %s", target->probe.dial.name,
			probe_state_word(target->probe.result.state));
	if (fault_is_set(&target->reason) && cut)
		return;
	fault_clear(&target->reason);
	fault_move(&target->reason, fault);
}

/* Once for each state that the target goes through. */
static void
wait_report_retry(struct wait_target *target)
{
	const struct probe_result *result = &target->probe.result;
	bool again = target->tries > 1 && target->state == result->state;
	target->state = result->state;
	probe_emit(&target->probe,
		(struct event){ .kind = again ? EVENT_wait_retry_again : EVENT_wait_retry,
			.count = target->tries,
			.detail = result->state == PROBE_CLOSED ? NULL : result->fault.text });
}

/* Takes the result of a try. False and a fault if further ones cannot succeed. */
static bool
wait_take(struct wait *wait, struct wait_target *target, int64_t now, struct fault *fault)
{
	const struct probe_result *result = &target->probe.result;
	target->trying = false;
	wait->trying--;
	target->tries++;
	if (wait_is_wanted(wait, result)) {
		target->done = true;
		wait->left--;
		probe_emit(&target->probe,
			(struct event){ .kind = EVENT_wait_done, .count = target->tries });
	} else if (result->state == PROBE_ERROR && result->fault.status != STATUS_MEMORY &&
		result->fault.status != STATUS_CONNECT) {
		fault_move(fault, &target->probe.result.fault);
		return false;
	} else {
		wait_report_retry(target);
		wait_keep_reason(wait, target, now);
	}
	/* The last connection is closed in order. */
	target->probe.reset = wait->config->until_closed;
	probe_close(&target->probe);
	return true;
}

static void
wait_try(struct wait *wait, size_t i, int64_t now)
{
	const struct config *config = wait->run->config;
	struct wait_target *target = &wait->targets[i];
	struct dial_config wanted = config_dial_target(config, target->of, target->port, now);
	wanted.deadline = clock_earlier(wanted.deadline, wait->deadline);
	target->trying = true;
	wait->trying++;
	target->next_at = clock_after(now, wait->config->interval);
	probe_start(&target->probe, &wanted, target->of->secure, &wait->finished);
}

/* Whether a try may begin: its look-up may have to wait for others. */
static bool
wait_may_try(const struct wait_target *target)
{
	const struct endpoint *endpoint = &target->of->endpoint;
	return endpoint->names != TRANSPORT_INET || endpoint->numeric ||
		resolve_lookups() < PROBE_LOOKUPS;
}

/* Begins the tries that are due. */
static void
wait_try_due(struct wait *wait, int64_t now)
{
	for (size_t i = 0; i < wait->count; i++) {
		const struct wait_target *target = &wait->targets[i];
		if (!target->done && !target->trying && now >= target->next_at &&
			wait_may_try(target))
			wait_try(wait, i, now);
	}
}

/* Sets the fault to the last reasons. False: no try has failed. */
static bool
wait_list_reasons(const struct wait *wait, enum status status, struct fault *fault)
{
	size_t shown = 0;
	for (size_t i = 0; i < wait->count; i++) {
		const struct wait_target *target = &wait->targets[i];
		const char *text = target->reason.text;
		if (target->done || text == NULL || shown++ >= WAIT_REASONS)
			continue;
		if (shown == 1)
			(void)fault_set(fault, status, 0, "%s", text);
		else
			fault_add(fault, "; %s", text);
	}
	if (shown > WAIT_REASONS)
		fault_add(fault, "; and %zu more", shown - WAIT_REASONS);
	return shown > 0;
}

/* Adds what is missing to the reasons. */
static void
wait_add_count(const struct wait *wait, struct fault *fault)
{
	fault_add(fault, "; ");
	if (wait->count > 1)
		fault_add(fault, "%zu of %zu targets ", wait->left, wait->count);
	fault_add(fault, "not %s", wait->config->until_closed ? "closed" : "open");
}

/* The time is over. */
static bool
wait_time_out(const struct wait *wait, struct fault *fault)
{
	if (!wait_list_reasons(wait, STATUS_LIMIT, fault))
		(void)fault_set(fault, STATUS_LIMIT, 0, "wait");
	wait_add_count(wait, fault);
	fault_add(fault, " within %.10gs", (double)wait->config->limit / CLOCK_SECOND);
	return false;
}

/* A signal ends the wait. */
static bool
wait_interrupt(const struct wait *wait, int signal, struct fault *fault)
{
	if (!wait_list_reasons(wait, (enum status)(STATUS_SIGNAL + signal), fault))
		return fault_set_signal(fault, signal);
	wait_add_count(wait, fault);
	fault_add(fault, " yet");
	fault->signal = signal;
	return false;
}

static void
wait_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	const struct wait *wait = (struct wait *)task;
	/* The end of an abandoned look-up wakes no task. */
	int64_t later = clock_after(now, wait->config->interval);
	for (size_t i = 0; i < wait->count; i++) {
		const struct wait_target *target = &wait->targets[i];
		if (target->done || target->trying)
			continue;
		int64_t next_at = wait_may_try(target) ? target->next_at : later;
		pollset_until(pollset, clock_earlier(next_at, wait->deadline));
	}
}

static bool
wait_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct wait *wait = (struct wait *)task;
	struct engine *engine = &wait->run->engine;
	(void)pollset;
	if (engine->end_signal != 0)
		return wait_interrupt(wait, engine->end_signal, fault);
	if (engine->wants_report)
		event_emit(&(struct event){
			.kind = EVENT_wait_stats, .count = wait->left, .total = wait->count });
	engine->wants_report = false;
	for (struct probe *probe; (probe = probe_queue_take(&wait->finished)) != NULL;)
		if (!wait_take(wait, (struct wait_target *)probe, now, fault))
			return false;
	if (wait_is_over(wait))
		engine_remove(engine, task);
	else if (now < wait->deadline)
		wait_try_due(wait, now);
	else if (wait->trying == 0)
		return wait_time_out(wait, fault);
	return true;
}

static const struct task_ops wait_task = { .name = "wait", .ask = wait_ask, .step = wait_step };

/* What keeps the program from running. */
static bool
wait_fault_program(const struct config_program *program, int error, struct fault *fault)
{
	return fault_set(fault, error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE, error,
		"run %s", program->name);
}

static bool
wait_replace(const struct config *config, struct fault *fault)
{
	const struct config_program *program = &config->program;
	if (program->path == NULL)
		return true;
	int signal = signals_restore();
	if (signal != 0)
		return fault_set_signal(fault, signal);
	(void)execv(program->path, program->argv);
	return wait_fault_program(program, errno, fault);
}

/* Makes the list of all ports. False: out of memory. */
static bool
wait_list(struct wait *wait)
{
	const struct targets *targets = &wait->run->config->targets;
	for (size_t i = 0; i < targets->count; i++)
		wait->count += (size_t)targets_probes(&targets->list[i]);
	wait->left = wait->count;
	wait->enough = wait->run->config->scan.needs == CONFIG_NEEDS_ANY ? wait->count - 1 : 0;
	wait->targets = calloc(wait->count, sizeof *wait->targets);
	struct wait_target *next = wait->targets;
	for (size_t i = 0; i < targets->count && next != NULL; i++) {
		const struct target *of = &targets->list[i];
		for (size_t j = 0; j < of->ports.count; j++)
			*next++ = (struct wait_target){ .of = of, .port = of->ports.list[j] };
		if (of->ports.count == 0)
			(next++)->of = of;
	}
	return wait->targets != NULL;
}

static bool
wait_run(struct run *run, struct fault *fault)
{
	const struct config *config = run->config;
	struct wait wait = { .run = run, .config = &config->repeat };
	wait.finished = (struct probe_queue){ .engine = &run->engine,
		.owner = &wait.task,
		.tls = &config->tls,
		.proxies = &config->proxies };
	wait.deadline = clock_after(clock_now(), config->repeat.limit);
	if (!wait_list(&wait))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "wait");
	bool done = engine_add(&run->engine, &wait.task, &wait_task, fault) &&
		engine_run(&run->engine, fault);
	engine_remove(&run->engine, &wait.task);
	for (size_t i = 0; i < wait.count; i++) {
		probe_close(&wait.targets[i].probe);
		fault_clear(&wait.targets[i].reason);
	}
	free(wait.targets);
	/* Before the report says that all is well. */
	if (done && config->program.path != NULL && access(config->program.path, X_OK) == -1)
		done = wait_fault_program(&config->program, errno, fault);
	return done;
}

const struct mode wait_mode = { .name = "wait", .run = wait_run, .replace = wait_replace };
