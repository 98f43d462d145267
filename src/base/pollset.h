/*
 * The descriptors, events and the earliest deadline of one turn of the loop. The set is rebuilt
 * from the state of all objects in every turn, so that no entry can be stale. Objects add entries,
 * the loop polls (engine/engine.h; tests fill in the results), and objects check their entries.
 */
#ifndef SOCKCAT_BASE_POLLSET_H
#define SOCKCAT_BASE_POLLSET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollset {
	struct pollfd *polls; /* owned; `count` of `capacity` are used */
	size_t count, capacity;
	int64_t deadline;
	bool failed; /* out of memory for an entry */
};

/* Returned when no entry was added. */
#define POLLSET_NONE SIZE_MAX

/* Empties the set for the next turn; initializes a zeroed struct. */
void pollset_begin(struct pollset *pollset);

void pollset_close(struct pollset *pollset);

/*
 * Adds a descriptor with its events; returns the entry for pollset_fired. Without events nothing is
 * added (POLLSET_NONE), since poll(2) would report a hang-up in every turn.
 */
size_t pollset_ask(struct pollset *pollset, int fd, short events);

/* Adds a descriptor for errors and hang-ups only. */
size_t pollset_watch(struct pollset *pollset, int fd);

/* Ends the turn at `deadline` at the latest. */
void pollset_until(struct pollset *pollset, int64_t deadline);

/* Whether a requested event, an error or a hang-up occurred. */
bool pollset_fired(const struct pollset *pollset, size_t entry);

/* The events that a descriptor has now, with errors and hang-ups; 0: none. */
short pollset_look(int fd, short events);

/* How many of `count` descriptor numbers from `first` on, up to POLLSET_CLOSED, are not open. */
#define POLLSET_CLOSED 32
size_t pollset_closed(int first, int count);

#endif
