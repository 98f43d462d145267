/*
 * Waiting for many: each of them has an interest of its own, and a turn costs by what happens, not
 * by how many there are. Two back ends: the system's way to keep a set of descriptors
 * (sys_watcher), and poll(2) where there is none.
 *
 *     waiter_set(&waiter, &one->waiting, …)      after each step of it
 *     waiter_wait(&waiter, &now, fault)
 *     while ((waiting = waiter_next(&waiter)) …  whose time has come, or of which something fired
 *
 * Invariants: a descriptor belongs to one of them at most; whoever waiter_next gives is to be set
 * again, or removed, before the next wait.
 */
#ifndef SOCKCAT_FLOW_WAITER_H
#define SOCKCAT_FLOW_WAITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"

/* One of the many. It does not move while it is set. */
struct waiting {
	struct interest interest; /* owned: what it waits for */
	int *fds;                 /* owned: the descriptors it is known for */
	size_t count, capacity;
	bool known;               /* it has been set before */
	size_t place;             /* in the heap, plus one; 0: it is not there */
	struct waiter_list *list; /* the one it is in; NULL: none */
	struct waiting *next, *previous;
};

struct waiter_list {
	struct waiting *first, *last;
};

struct waiter_slot {
	struct waiting *owner; /* NULL: nobody waits for the descriptor */
	short events;
	bool always; /* it is always ready: a file, say */
};

struct waiter {
	int watcher;               /* owned; -1: poll(2) */
	struct waiter_slot *slots; /* owned; by descriptor */
	size_t slot_count;
	struct pollfd *polls; /* owned; for poll(2) */
	size_t poll_capacity;
	struct waiting **heap; /* owned; who has a deadline, the earliest first */
	size_t heap_count, heap_capacity;
	size_t known;             /* the heap has room for so many */
	struct waiter_list due;   /* whose turn it is, … */
	struct waiter_list woken; /* … and whose it is in the next one */
};

/* `plain`: poll(2) even where the system has something better. */
void waiter_open(struct waiter *waiter, bool plain);

void waiter_close(struct waiter *waiter);

/*
 * It waits for what its interest says, from now on. `anew`: a descriptor of it may have been closed
 * and another opened under its number since. False and a fault if there is no memory; that is so
 * only the first time: later it has a turn soon, to ask again.
 */
bool waiter_set(struct waiter *waiter, struct waiting *waiting, bool anew, struct fault *fault);

/* Its turn comes with, or after, the next wait, whatever it waits for. */
void waiter_wake(struct waiter *waiter, struct waiting *waiting);

/* It waits no more; before its descriptors are closed. Frees what it has. */
void waiter_remove(struct waiter *waiter, struct waiting *waiting);

/* Waits for the first of them, or a signal; *now is the time after that. */
bool waiter_wait(struct waiter *waiter, int64_t *now, struct fault *fault);

/* The next that is due, NULL if none is. Its interest tells what fired. */
struct waiting *waiter_next(struct waiter *waiter);

#endif
