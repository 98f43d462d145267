/* Processes that were started; see child.h. */
#include "stream/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

/* Nothing tells when the last process of a group has gone. */
#define CHILD_LOOK (10 * CLOCK_MILLISECOND)

static struct child *child_first;
static size_t child_many; /* in the list */

struct child *
child_adopt(pid_t pid)
{
	struct child *child = calloc(1, sizeof *child);
	if (child == NULL) {
		(void)kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
		return NULL;
	}
	child->pid = pid;
	child->next = child_first;
	child_first = child;
	child_many++;
	return child;
}

/* Has it ended? It stays a zombie until it is forgotten, so that its number, which is its group's,
 * is nobody else's. */
static void
child_notice(struct child *child)
{
	siginfo_t info = { .si_pid = 0 };
	if (child->ended)
		return;
	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
		if (info.si_pid != child->pid)
			return;
		child->status = info.si_code == CLD_EXITED ? info.si_status
							   : STATUS_SIGNAL + info.si_status;
	} else {
		/* It is not ours; that cannot be. */
		child->status = STATUS_INTERNAL;
		child->reaped = true;
	}
	child->ended = child->news = true;
	log_event(LOG_VERBOSE, "process %ld: status %d", (long)child->pid, child->status);
}

static void
child_reap(struct child *child)
{
	if (child->ended && !child->reaped)
		child->reaped = waitpid(child->pid, NULL, WNOHANG) == child->pid;
}

/* The whole group, also those of it that are stopped. */
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
	if (state == CHILD_TOLD)
		child_signal(child, SIGTERM);
	else if (state == CHILD_KILLED)
		child_signal(child, SIGKILL);
}

/* True when it can be forgotten. */
static bool
child_step(struct child *child, int64_t now)
{
	switch (child->state) {
	case CHILD_OWNED:
		return false;
	case CHILD_LEFT:
		if (child->ended)
			return true;
		break;
	case CHILD_TOLD:
		child_reap(child);
		if (child->reaped && kill(-child->pid, 0) == -1)
			return true;
		break;
	case CHILD_KILLED:
		/* What even that does not end is the system's. */
		return child->ended || now >= child->due;
	}
	if (now >= child->due)
		child_enter(child, child->state == CHILD_LEFT ? CHILD_TOLD : CHILD_KILLED, now);
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

/* What a program has started and left comes to us if we are the first process, as in a container,
 * or stand in for it. Those in the list, which may be in front, are not waited for here. */
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
			child_notice(child);
		if (child_step(child, now)) {
			child_reap(child);
			*link = child->next;
			child_many--;
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
child_leave(struct child *child, bool clean, int64_t now)
{
	if (child == NULL)
		return;
	child_notice(child);
	child_enter(child, clean ? CHILD_LEFT : CHILD_TOLD, now);
	child_look(false, now);
}

size_t
child_count(void)
{
	return child_many;
}

void
child_ask(struct interest *interest, int64_t now)
{
	for (const struct child *child = child_first; child != NULL; child = child->next) {
		if (child->state == CHILD_OWNED)
			continue;
		interest_until(interest, child->due);
		if (child->reaped)
			interest_until(interest, clock_after(now, CHILD_LOOK));
	}
}
