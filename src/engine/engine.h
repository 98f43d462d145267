/*
 * The engine: the one loop of a run. It waits for all tasks at once, and steps those whose
 * descriptors have fired, whose time has come, or that were woken. It also serves what every run
 * has: signals, child processes, the capture files, and the count of suppressed events.
 *
 * A task is embedded in what it works for, as the first field. It may remove itself, or another
 * one, in a step. Tasks do not call each other; they wake each other.
 */
#ifndef SOCKCAT_ENGINE_ENGINE_H
#define SOCKCAT_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/pollset.h"
#include "engine/poller.h"
#include "filter/capture.h"

struct task;

struct task_ops {
	const char *name;
	bool shared;     /* what it waits for depends on other tasks: it is asked at every turn */
	bool background; /* the run does not wait for its end */
	/* Asks for what the next step needs. */
	void (*ask)(struct task *task, struct pollset *pollset, int64_t now);
	/* Does what is possible now. False and a fault end the run. */
	bool (*step)(
		struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault);
	/* Memory to wait for the task has run out. False and a fault end the run; NULL: always. */
	bool (*fail)(struct task *task, struct fault *fault);
};

struct task {
	struct poller_entry entry; /* first: found by its address */
	const struct task_ops *ops;
	bool reopened; /* set by the owner: a descriptor may have been closed and another opened
			  under its number since the last turn */
	struct task *next, *previous;
};

struct engine {
	struct poller poller;
	struct poller_entry own; /* signals, children, capture files, suppressed events */
	size_t signals;          /* the entry in `own` */
	struct capture capture;
	int await_fd;          /* the descriptor that is waited for until `await_ends` */
	int64_t await_ends;    /* 0: none is */
	int64_t now;           /* the time of this turn */
	int end_signal;        /* the terminating signal that was received; 0: none */
	bool reloads;          /* set by the owner: SIGHUP is a request, not a terminating signal */
	bool wants_reload;     /* SIGHUP was received; cleared by the task that reloads */
	bool wants_report;     /* a report was requested; cleared by the task that reports */
	bool resized;          /* the width of the terminal has changed; cleared by its task */
	struct task *first;    /* shared tasks, then the others */
	size_t awaited;        /* tasks that are not in the background */
	struct task *stepping; /* the task that is in its step; NULL: none, or it was removed */
};

/* Opens the capture files. To be closed in any case. */
bool engine_open(struct engine *engine, const struct capture_config *capture, int64_t patience,
	struct fault *fault);

/* Takes over the signals of the process (signals.h), which only the engine handles from then on. */
bool engine_start(struct engine *engine, struct fault *fault);

/*
 * All tasks have been removed: writes the rest of the capture files, each while it takes some of it
 * within `patience`, and the count of suppressed events. Waits up to a second until standard error
 * takes them, and the line of the fault; if it does not the fault becomes quiet. A terminating
 * signal ends all that. False and a fault if a capture file has failed, or that signal was
 * received.
 */
bool engine_finish(struct engine *engine, int64_t patience, struct fault *fault);

/* Waits until the descriptor can be written to, without tasks, but not after `until`. False: it
 * cannot, or a terminating signal was received. */
bool engine_await(struct engine *engine, int fd, int64_t until);

/* Restores the signals. */
void engine_close(struct engine *engine);

/* Adds a task, and asks it at once. False and a fault if there is no memory. */
bool engine_add(
	struct engine *engine, struct task *task, const struct task_ops *ops, struct fault *fault);

/* Removes a task before its descriptors are closed. A zeroed task is allowed. */
void engine_remove(struct engine *engine, struct task *task);

/* The task is stepped in the next turn, whatever it waits for. */
void engine_wake(struct engine *engine, struct task *task);

/* One turn: waits, then steps the tasks that are due. False and a fault if it cannot wait, or a
 * task ended the run. */
bool engine_turn(struct engine *engine, struct fault *fault);

/* Turns until no task is left but those in the background. False and a fault as above. */
bool engine_run(struct engine *engine, struct fault *fault);

/* Ends the programs that were started. A signal aborts a program that still reads its input;
 * with `graceful` programs may finish. Returns whether none was aborted. */
bool engine_end_programs(struct engine *engine, bool graceful);

#endif
