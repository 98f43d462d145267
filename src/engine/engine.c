/* The engine; see engine.h. */
#include "engine/engine.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/signals.h"
#include "program/child.h"

/* How long the last lines wait for standard error. */
#define ENGINE_LAST CLOCK_SECOND

bool
engine_open(struct engine *engine, const struct capture_config *capture, int64_t patience,
	struct fault *fault)
{
	*engine = (struct engine){ .first = NULL };
	poller_open(&engine->poller, false);
	return capture_open(&engine->capture, capture, patience, fault);
}

void
engine_close(struct engine *engine)
{
	poller_remove(&engine->poller, &engine->own);
	poller_close(&engine->poller);
	signals_close();
}

/* --- tasks --- */

static bool
engine_ask(struct engine *engine, struct task *task, struct fault *fault)
{
	struct pollset *pollset = &task->entry.pollset;
	pollset_begin(pollset);
	task->ops->ask(task, pollset, engine->now);
	bool reopened = task->reopened;
	task->reopened = false;
	return poller_set(&engine->poller, &task->entry, reopened, fault);
}

bool
engine_add(
	struct engine *engine, struct task *task, const struct task_ops *ops, struct fault *fault)
{
	struct task **place = &engine->first, *previous = NULL;
	/* Shared tasks are first: those few are asked at every turn. */
	for (; !ops->shared && *place != NULL && (*place)->ops->shared; place = &previous->next)
		previous = *place;
	task->ops = ops;
	task->previous = previous;
	task->next = *place;
	engine->awaited += !ops->background;
	if (task->next != NULL)
		task->next->previous = task;
	*place = task;
	return engine_ask(engine, task, fault);
}

void
engine_remove(struct engine *engine, struct task *task)
{
	if (task->ops == NULL)
		return;
	engine->awaited -= !task->ops->background;
	poller_remove(&engine->poller, &task->entry);
	*(task->previous != NULL ? &task->previous->next : &engine->first) = task->next;
	if (task->next != NULL)
		task->next->previous = task->previous;
	if (engine->stepping == task)
		engine->stepping = NULL;
	*task = (struct task){ .ops = NULL };
}

void
engine_wake(struct engine *engine, struct task *task)
{
	poller_wake(&engine->poller, &task->entry);
}

static void
engine_wake_all(struct engine *engine)
{
	for (struct task *task = engine->first; task != NULL; task = task->next)
		engine_wake(engine, task);
}

/* --- the engine's own entry --- */

/* Whether a child has ended. */
static bool
engine_take_signals(struct engine *engine)
{
	bool ended = false;
	for (int signal = signals_take(); signal != 0; signal = signals_take()) {
		if (signals_asks_report(signal))
			engine->wants_report = true;
		else if (signal == SIGCHLD)
			ended = true;
		else if (signals_is_resize(signal))
			engine->resized = true;
		else if (signal == SIGHUP && engine->reloads)
			engine->wants_reload = true;
		else if (engine->end_signal == 0)
			engine->end_signal = signal;
	}
	/* A session may wait for a program that has ended. */
	engine_wake_all(engine);
	return ended;
}

static bool
engine_ask_own(struct engine *engine, struct fault *fault)
{
	struct pollset *pollset = &engine->own.pollset;
	pollset_begin(pollset);
	engine->signals = pollset_ask(pollset, signals_fd(), POLLIN);
	child_ask(pollset, engine->now);
	capture_ask(&engine->capture, pollset);
	pollset_until(pollset, event_due());
	if (engine->await_ends != 0) {
		(void)pollset_ask(pollset, engine->await_fd, POLLOUT);
		pollset_until(pollset, engine->await_ends);
	}
	return poller_set(&engine->poller, &engine->own, false, fault);
}

bool
engine_start(struct engine *engine, struct fault *fault)
{
	engine->now = clock_now();
	return signals_open(fault) && engine_ask_own(engine, fault);
}

static void
engine_step_own(struct engine *engine)
{
	struct pollset *pollset = &engine->own.pollset;
	size_t children = child_count();
	bool ended = pollset_fired(pollset, engine->signals) && engine_take_signals(engine);
	child_look(ended, engine->now);
	/* A limit on programs may leave room now. */
	if (child_count() != children)
		engine_wake_all(engine);
	event_enter(0);
	capture_step(&engine->capture, pollset, engine->now);
	/* Streams may go on; the tasks know which. */
	if (engine->capture.woken.first != NULL)
		engine_wake_all(engine);
	if (engine->now >= event_due())
		event_settle();
}

bool
engine_turn(struct engine *engine, struct fault *fault)
{
	for (struct task *task = engine->first; task != NULL && task->ops->shared;
		task = task->next)
		if (!engine_ask(engine, task, fault))
			return false;
	if (!engine_ask_own(engine, fault) || !poller_wait(&engine->poller, &engine->now, fault))
		return false;
	if (poller_take(&engine->own))
		engine_step_own(engine);
	for (struct poller_entry *entry; (entry = poller_next(&engine->poller)) != NULL;) {
		struct task *task = engine->stepping = (struct task *)entry;
		if (!task->ops->step(task, &entry->pollset, engine->now, fault))
			return false;
		if (engine->stepping != NULL && !engine_ask(engine, task, fault) &&
			(task->ops->fail == NULL || !task->ops->fail(task, fault)))
			return false;
	}
	return true;
}

bool
engine_run(struct engine *engine, struct fault *fault)
{
	while (engine->awaited > 0)
		if (!engine_turn(engine, fault))
			return false;
	return true;
}

/* One turn before the end. False if that is not possible, or a signal ended the run. */
static bool
engine_turn_more(struct engine *engine)
{
	struct fault ignored = FAULT_NONE;
	int before = engine->end_signal;
	bool good = engine_turn(engine, &ignored);
	fault_clear(&ignored);
	return good && engine->end_signal == before;
}

bool
engine_await(struct engine *engine, int fd, int64_t until)
{
	bool ready;
	engine->await_fd = fd;
	engine->await_ends = until;
	while (!(ready = pollset_look(fd, POLLOUT) != 0) && clock_now() < until &&
		engine_turn_more(engine))
		continue;
	engine->await_ends = 0;
	return ready;
}

/* Waits until standard error takes a line. */
static bool
engine_await_log(struct engine *engine)
{
	return engine_await(engine, STDERR_FILENO, clock_after(clock_now(), ENGINE_LAST));
}

bool
engine_finish(struct engine *engine, int64_t patience, struct fault *fault)
{
	int before = engine->end_signal;
	capture_finish(&engine->capture, patience, clock_now());
	while (capture_is_pending(&engine->capture) && engine_turn_more(engine))
		continue;
	if (event_due() != CLOCK_NEVER && engine_await_log(engine))
		event_settle();
	bool recorded = capture_close(&engine->capture, fault);
	if (fault_is_set(fault) && !fault->quiet && !engine_await_log(engine))
		fault->quiet = true;
	if (engine->end_signal == before)
		return recorded;
	fault->signal = engine->end_signal;
	return fault_set_signal(fault, engine->end_signal);
}

bool
engine_end_programs(struct engine *engine, bool graceful)
{
	struct fault ignored = FAULT_NONE;
	bool all = true;
	/* The signal may have arrived together with the end of the last session. */
	do
		if (engine->end_signal != 0 && !graceful && child_limit_grace())
			all = false;
	while (child_count() > 0 && engine_turn(engine, &ignored));
	fault_clear(&ignored);
	return all;
}
