/*
 * What one turn of the loop waits for: descriptors with the events wanted of them, and the
 * earliest deadline. It is computed anew from the state of all objects at every turn, never edited
 * in place, so that nothing can be forgotten in it. Objects ask, somebody polls (flow/loop.h; a
 * test fills in the answers itself), objects look what fired.
 */
#ifndef SOCKCAT_BASE_INTEREST_H
#define SOCKCAT_BASE_INTEREST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interest {
	struct pollfd *polls; /* owned; the first `count` of `capacity` are in use */
	size_t count, capacity;
	int64_t deadline;
	bool failed; /* there was no memory for an entry */
};

/* An answer to "which entry?" for something that was not asked for. */
#define INTEREST_NONE SIZE_MAX

/* Empties the set for the next turn; also the way to begin with a zeroed struct. */
void interest_begin(struct interest *interest);

/* Frees it. */
void interest_close(struct interest *interest);

/*
 * Asks for events of a descriptor; returns the entry for interest_fired. No events: not polled at
 * all, since poll would report a hang-up for ever (INTEREST_NONE).
 */
size_t interest_ask(struct interest *interest, int fd, short events);

/* Asks only whether the descriptor has an error or was hung up. */
size_t interest_watch(struct interest *interest, int fd);

/* The turn ends at this time at the latest. */
void interest_until(struct interest *interest, int64_t deadline);

/* Whether the entry has what was asked for, or an error: then the operation itself will tell. */
bool interest_fired(const struct interest *interest, size_t entry);

#endif
