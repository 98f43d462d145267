/* The entries of a poller that have a deadline, the earliest first: a binary heap. */
#ifndef SOCKCAT_ENGINE_DEADLINES_H
#define SOCKCAT_ENGINE_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>

struct poller_entry;

struct deadlines {
	struct poller_entry **heap; /* owned */
	size_t count, capacity;
};

/* Ensures that this many entries can have a deadline. False if memory runs out. */
bool deadlines_reserve(struct deadlines *deadlines, size_t entries);

/* Moves an entry to the place of its pollset's deadline. */
void deadlines_set(struct deadlines *deadlines, struct poller_entry *entry);

/* Removes an entry, if it is there. */
void deadlines_remove(struct deadlines *deadlines, struct poller_entry *entry);

void deadlines_close(struct deadlines *deadlines);

/* The entry with the earliest deadline; NULL: there is none. */
static inline struct poller_entry *
deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->count > 0 ? deadlines->heap[0] : NULL;
}

#endif
