/* Child processes; see child.h. */
#include "program/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/event.h"
#include "sys/sys.h"

/* The polling interval for the end of a process group, which no signal reports. */
#define CHILD_POLL (10 * CLOCK_MILLISECOND)

static struct child *child_first;
static size_t child_total; /* in the list */

struct child *
child_adopt(pid_t pid, const char *name, bool *ready)
{
	struct child *child = calloc(1, sizeof *child);
	if (child == NULL) {
		(void)kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
		return NULL;
	}
	child->pid = pid;
	child->rest = -1;
	child->name = name;
	child->ready = ready;
	child->next = child_first;
	child_first = child;
	child_total++;
	return child;
}

/* Reports a stopped child, and consumes the kernel's notification. */
static void
child_report_stop(const struct child *child, int signal)
{
	siginfo_t info;
	(void)waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WNOHANG);
	if (child->state == CHILD_OWNED)
		event_emit(&(struct event){ .kind = EVENT_program_stopped,
			.object = child->name,
			.pid = (uint64_t)child->pid,
			.cause = strsignal(signal) });
}

/* Checks for an exit or a stop. The zombie is kept until child_reap, so that the process ID, which
 * is also the group's, is not reused. */
static void
child_check(struct child *child)
{
	siginfo_t info = { .si_pid = 0 };
	if (child->ended)
		return;
	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0) {
		if (info.si_pid != child->pid)
			return;
		if (info.si_code == CLD_STOPPED) {
			child_report_stop(child, info.si_status);
			return;
		}
		child->status = info.si_code == CLD_EXITED ? info.si_status
							   : STATUS_SIGNAL + info.si_status;
	} else {
		/* ECHILD: cannot happen. */
		child->status = STATUS_INTERNAL;
		child->reaped = true;
	}
	child->ended = true;
	if (child->ready != NULL)
		*child->ready = true;
	event_emit(&(struct event){ .kind = EVENT_program_ended,
		.pid = (uint64_t)child->pid,
		.status = (uint64_t)child->status });
}

static void
child_reap(struct child *child)
{
	if (child->ended && !child->reaped)
		child->reaped = waitpid(child->pid, NULL, WNOHANG) == child->pid;
}

/* Signals the process group; SIGCONT lets stopped processes handle the signal. */
static void
child_signal(const struct child *child, int signal)
{
	(void)kill(-child->pid, signal);
	(void)kill(-child->pid, SIGCONT);
}

static void
child_enter(struct child *child, enum child_state state, int64_t now)
{
	child->state = state;
	child->due = clock_after(now, CHILD_GRACE);
	if (state == CHILD_TERMINATED)
		child_signal(child, SIGTERM);
	else if (state == CHILD_KILLED)
		child_signal(child, SIGKILL);
}

/* Whether the child has read input since the last call. */
static bool
child_reads(struct child *child)
{
	size_t before = child->untaken;
	if (child->rest == -1 || !sys_untaken(child->rest, &child->untaken))
		return false;
	return child->untaken < before;
}

/* Returns true when the child can be freed. */
static bool
child_step(struct child *child, int64_t now)
{
	switch (child->state) {
	case CHILD_OWNED:
		return false;
	case CHILD_RELEASED:
		if (child->ended)
			return true;
		break;
	case CHILD_TERMINATED:
		child_reap(child);
		if (child->reaped && kill(-child->pid, 0) == -1)
			return true;
		break;
	case CHILD_KILLED:
		/* A process that survives SIGKILL, in an uninterruptible sleep, is left to init. */
		return child->ended || now >= child->due;
	}
	if (now < child->due)
		return false;
	if (child->state == CHILD_RELEASED && child_reads(child))
		child_enter(child, CHILD_RELEASED, now);
	else
		child_enter(child, child->state == CHILD_RELEASED ? CHILD_TERMINATED : CHILD_KILLED,
			now);
	return false;
}

static bool
child_is_listed(pid_t pid)
{
	const struct child *child = child_first;
	while (child != NULL && child->pid != pid)
		child = child->next;
	return child != NULL;
}

/* Reaps orphans that were reparented to this process (PID 1 of a container, or a subreaper).
 * Children in the list are left alone. */
static void
child_reap_others(void)
{
	siginfo_t info = { .si_pid = 0 };
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 &&
		!child_is_listed(info.si_pid) && waitpid(info.si_pid, NULL, WNOHANG) > 0)
		info.si_pid = 0;
}

void
child_look(bool signalled, int64_t now)
{
	struct child **link = &child_first;
	bool reaps = signalled;
	while (*link != NULL) {
		struct child *child = *link;
		if (signalled)
			child_check(child);
		if (child_step(child, now)) {
			child_reap(child);
			*link = child->next;
			child_total--;
			(void)sys_close(&child->rest);
			free(child);
			reaps = true;
		} else {
			link = &child->next;
		}
	}
	if (reaps)
		child_reap_others();
}

void
child_leave(struct child *child, bool clean, int rest, int64_t now)
{
	if (child == NULL) {
		(void)sys_close(&rest);
		return;
	}
	child->ready = NULL;
	child->rest = rest;
	(void)child_reads(child);
	child_check(child);
	child_enter(child, clean ? CHILD_RELEASED : CHILD_TERMINATED, now);
	child_look(false, now);
}

bool
child_limit_grace(void)
{
	bool reads = false;
	for (struct child *child = child_first; child != NULL; child = child->next) {
		size_t untaken;
		reads |= child->state == CHILD_RELEASED && child->rest != -1 &&
			sys_untaken(child->rest, &untaken) && untaken > 0;
		(void)sys_close(&child->rest);
	}
	return reads;
}

size_t
child_count(void)
{
	return child_total;
}

void
child_ask(struct pollset *pollset, int64_t now)
{
	for (const struct child *child = child_first; child != NULL; child = child->next) {
		if (child->state == CHILD_OWNED)
			continue;
		pollset_until(pollset, child->due);
		if (child->reaped)
			pollset_until(pollset, clock_after(now, CHILD_POLL));
	}
}
