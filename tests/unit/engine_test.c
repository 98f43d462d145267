/* The engine: which tasks are stepped, and tasks that remove themselves and each other. */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "engine/engine.h"

enum engine_test_act { ACT_NOTHING, ACT_REMOVE, ACT_REMOVE_OTHER, ACT_WAKE_OTHER, ACT_FAIL };

struct engine_test_task {
	struct task task; /* first: found by its address */
	struct engine *engine;
	struct engine_test_task *other;
	enum engine_test_act act;
	int fd;
	int64_t due;
	unsigned asked, stepped;
	size_t entry;
	bool fired;
};

static void
engine_test_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	struct engine_test_task *test = (struct engine_test_task *)task;
	(void)now;
	test->asked++;
	test->entry = pollset_ask(pollset, test->fd, POLLIN);
	pollset_until(pollset, test->due);
}

static bool
engine_test_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct engine_test_task *test = (struct engine_test_task *)task;
	(void)now;
	test->stepped++;
	test->fired = pollset_fired(pollset, test->entry);
	test->due = CLOCK_NEVER;
	if (test->act == ACT_REMOVE)
		engine_remove(test->engine, task);
	if (test->act == ACT_REMOVE_OTHER)
		engine_remove(test->engine, &test->other->task);
	if (test->act == ACT_WAKE_OTHER)
		engine_wake(test->engine, &test->other->task);
	return test->act != ACT_FAIL || fault_set(fault, STATUS_SOME, 0, "test");
}

static const struct task_ops engine_test_ops = {
	.name = "test", .ask = engine_test_ask, .step = engine_test_step
};
static const struct task_ops engine_test_shared = {
	.name = "shared", .shared = true, .ask = engine_test_ask, .step = engine_test_step
};

static void
engine_test_add(struct engine *engine, struct engine_test_task *test, int fd, int64_t due)
{
	struct fault fault = FAULT_NONE;
	*test = (struct engine_test_task){ .engine = engine, .fd = fd, .due = due };
	CHECK(engine_add(engine, &test->task, &engine_test_ops, &fault));
	CHECK(test->asked == 1 && test->stepped == 0);
}

static void
engine_test_turn(struct engine *engine)
{
	struct fault fault = FAULT_NONE;
	CHECK(engine_turn(engine, &fault));
}

/* A task is stepped when its descriptor fires, its time has come, or another one wakes it. */
static void
engine_test_due(struct engine *engine)
{
	struct engine_test_task one, other;
	int ends[2];
	CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
	engine_test_add(engine, &one, ends[0], CLOCK_NEVER);
	engine_test_add(engine, &other, -1, CLOCK_NEVER);
	engine_test_turn(engine);
	CHECK(one.stepped == 1 && one.fired && one.asked == 2 && other.stepped == 0);
	one.act = ACT_WAKE_OTHER;
	one.other = &other;
	engine_test_turn(engine);
	CHECK(one.stepped == 2 && other.stepped == 0);
	one.act = ACT_NOTHING;
	engine_test_turn(engine);
	CHECK(other.stepped == 1 && !other.fired);
	engine_remove(engine, &one.task);
	engine_remove(engine, &other.task);
	engine_test_add(engine, &other, -1, 1);
	engine_test_turn(engine);
	CHECK(other.stepped == 1);
	engine_remove(engine, &other.task);
	/* A task that was removed can be removed again. */
	engine_remove(engine, &other.task);
	CHECK(engine->first == NULL);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* A task that is removed, in its own step or in another's, is neither asked nor stepped again. */
static void
engine_test_removed(struct engine *engine)
{
	struct engine_test_task one, other;
	engine_test_add(engine, &one, -1, 1);
	one.act = ACT_REMOVE;
	engine_test_turn(engine);
	CHECK(one.stepped == 1 && one.asked == 1 && engine->first == NULL);
	engine_test_add(engine, &one, -1, 1);
	engine_test_add(engine, &other, -1, 1);
	one.act = other.act = ACT_REMOVE_OTHER;
	one.other = &other;
	other.other = &one;
	engine_test_turn(engine);
	CHECK(one.stepped + other.stepped == 1 && engine->first != NULL);
	engine_remove(engine, engine->first);
	CHECK(engine->first == NULL);
}

/* What a shared task waits for is asked at every turn; a step that fails ends the turn. */
static void
engine_test_shares(struct engine *engine)
{
	struct fault fault = FAULT_NONE;
	struct engine_test_task shared = { .engine = engine, .fd = -1, .due = CLOCK_NEVER }, one;
	CHECK(engine_add(engine, &shared.task, &engine_test_shared, &fault));
	engine_test_add(engine, &one, -1, 1);
	engine_test_turn(engine);
	CHECK(shared.asked == 2 && shared.stepped == 0 && one.stepped == 1);
	one.act = ACT_FAIL;
	engine_wake(engine, &one.task);
	CHECK(!engine_turn(engine, &fault) && fault.status == STATUS_SOME);
	fault_clear(&fault);
	engine_remove(engine, &one.task);
	engine_remove(engine, &shared.task);
}

/* Two tasks that wait for the same descriptor are an error of the program. */
static void
engine_test_owners(struct engine *engine)
{
	struct fault fault = FAULT_NONE;
	struct engine_test_task one, other;
	int ends[2];
	CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
	engine_test_add(engine, &one, ends[0], CLOCK_NEVER);
	engine_test_add(engine, &other, ends[0], CLOCK_NEVER);
	CHECK(!engine_turn(engine, &fault) && fault.status == STATUS_INTERNAL);
	fault_clear(&fault);
	engine_remove(engine, &one.task);
	engine_test_turn(engine);
	CHECK(other.stepped == 1 && other.fired);
	engine_remove(engine, &other.task);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* A signal wakes every task. */
static void
engine_test_signals(struct engine *engine)
{
	struct engine_test_task one;
	engine_test_add(engine, &one, -1, CLOCK_NEVER);
	CHECK(raise(SIGUSR1) == 0);
	while (!engine->wants_report)
		engine_test_turn(engine);
	engine_test_turn(engine);
	CHECK(one.stepped == 1 && engine->end_signal == 0);
	CHECK(raise(SIGTERM) == 0);
	while (engine->end_signal == 0)
		engine_test_turn(engine);
	CHECK(engine->end_signal == SIGTERM);
	engine_remove(engine, &one.task);
}

int
main(void)
{
	const struct capture_config none = { .hex_dump = NULL };
	struct fault fault = FAULT_NONE;
	struct engine engine;
	CHECK(engine_open(&engine, &none, 0, &fault) && engine_start(&engine, &fault));
	engine_test_due(&engine);
	engine_test_removed(&engine);
	engine_test_shares(&engine);
	engine_test_owners(&engine);
	engine_test_signals(&engine);
	CHECK(engine_finish(&engine, 0, &fault));
	engine_close(&engine);
	return check_verdict("engine");
}
