/*
 * Waits for many tasks, each with a pollset of its own. There are two back ends: poll(2), and the
 * system's way to keep a set of descriptors (sys_watcher), where a turn costs by what happens, not
 * by the number of descriptors. A poller begins with poll(2), which needs no system call to
 * register a descriptor, and changes over once, when it has more than `few` of them.
 *
 *     poller_set(&poller, &task->entry, …)       after each step of the task
 *     poller_wait(&poller, &now, fault)
 *     while ((entry = poller_next(&poller)) …  entries that fired, or whose time has come
 *
 * Invariants: a descriptor belongs to one entry at most, which poller_wait checks; an entry that
 * poller_next returns is set again, released or removed before the next wait.
 */
#ifndef SOCKCAT_ENGINE_POLLER_H
#define SOCKCAT_ENGINE_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/pollset.h"
#include "engine/deadlines.h"

/* The entry of a task. It must not move while it is set. */
struct poller_entry {
	struct pollset pollset; /* owned: what it waits for */
	int *fds;               /* owned: the descriptors it is known for */
	size_t count, capacity;
	bool known;               /* it has been set before */
	int64_t gives_up;         /* when to fail after memory ran out; 0: it did not */
	size_t place;             /* index in the deadlines plus one; 0: not in them */
	struct poller_list *list; /* the list that contains it; NULL: none */
	struct poller_entry *next, *previous;
};

struct poller_list {
	struct poller_entry *first, *last;
};

struct poller_slot {
	struct poller_entry *owner; /* NULL: no entry has the descriptor */
	short events;
	bool always; /* always ready, such as a file */
};

/* Above this number of descriptors the watcher is faster than poll(2), as measured. */
#define POLLER_FEW 8

struct poller {
	int watcher;               /* owned; -1: poll(2) */
	bool plain;                /* poll(2) only */
	size_t few;                /* the watcher is used above this number of descriptors */
	struct poller_slot *slots; /* owned; by descriptor */
	size_t slot_count;
	size_t watched;       /* slots that have an owner */
	struct pollfd *polls; /* owned; for poll(2) */
	size_t poll_capacity;
	struct deadlines deadlines;
	size_t known;             /* entries that have been set: all can have a deadline */
	size_t contested;         /* descriptors in `fds` of entries that lost them */
	struct poller_list due;   /* entries to return in this turn */
	struct poller_list woken; /* entries to return in the next turn */
};

/* `plain`: poll(2) even where the system has something better. */
void poller_open(struct poller *poller, bool plain);

void poller_close(struct poller *poller);

/*
 * Makes the entry wait for its pollset. `reopened`: a descriptor may have been closed and another
 * opened under its number. False and a fault if memory runs out the first time, or for ten seconds;
 * until then the entry is due soon, to ask again.
 */
bool poller_set(
	struct poller *poller, struct poller_entry *entry, bool reopened, struct fault *fault);

/* Makes the entry due with or after the next wait. */
void poller_wake(struct poller *poller, struct poller_entry *entry);

/* Stops waiting; the results stay in its pollset. */
void poller_release(struct poller *poller, struct poller_entry *entry);

/* Whether the entry is due; then poller_next does not return it. */
bool poller_take(struct poller_entry *entry);

/* Removes the entry before its descriptors are closed, and frees its memory. */
void poller_remove(struct poller *poller, struct poller_entry *entry);

/* Waits until an entry is due or a signal arrives; *now is the time after that. False and a
 * fault if the system fails, or if two entries want the same descriptor (STATUS_INTERNAL). */
bool poller_wait(struct poller *poller, int64_t *now, struct fault *fault);

/* The next due entry, or NULL. Its pollset has the events. */
struct poller_entry *poller_next(struct poller *poller);

#endif
