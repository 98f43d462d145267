/* The entries that have a deadline; see deadlines.h. */
#include "engine/deadlines.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/poller.h"

bool
deadlines_reserve(struct deadlines *deadlines, size_t entries)
{
	size_t capacity = deadlines->capacity < 8 ? 8 : deadlines->capacity * 2;
	if (entries <= deadlines->capacity)
		return true;
	struct poller_entry **heap = NULL;
	if (capacity <= SIZE_MAX / sizeof *heap)
		heap = realloc(deadlines->heap, capacity * sizeof *heap);
	if (heap == NULL)
		return false;
	deadlines->heap = heap;
	deadlines->capacity = capacity;
	return true;
}

void
deadlines_close(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){ .heap = NULL };
}

static void
deadlines_put(struct deadlines *deadlines, size_t at, struct poller_entry *entry)
{
	deadlines->heap[at] = entry;
	entry->place = at + 1;
}

static bool
deadlines_is_earlier(const struct poller_entry *one, const struct poller_entry *other)
{
	return one->pollset.deadline < other->pollset.deadline;
}

/* Restores the order of the heap at an index. */
static void
deadlines_settle(struct deadlines *deadlines, size_t at)
{
	struct poller_entry *entry = deadlines->heap[at];
	while (at > 0 && deadlines_is_earlier(entry, deadlines->heap[(at - 1) / 2])) {
		deadlines_put(deadlines, at, deadlines->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = at * 2 + 1;
		if (child + 1 < deadlines->count &&
			deadlines_is_earlier(deadlines->heap[child + 1], deadlines->heap[child]))
			child++;
		if (child >= deadlines->count ||
			!deadlines_is_earlier(deadlines->heap[child], entry))
			break;
		deadlines_put(deadlines, at, deadlines->heap[child]);
		at = child;
	}
	deadlines_put(deadlines, at, entry);
}

void
deadlines_remove(struct deadlines *deadlines, struct poller_entry *entry)
{
	if (entry->place == 0)
		return;
	size_t at = entry->place - 1;
	struct poller_entry *last = deadlines->heap[--deadlines->count];
	entry->place = 0;
	if (last == entry)
		return;
	deadlines_put(deadlines, at, last);
	deadlines_settle(deadlines, at);
}

void
deadlines_set(struct deadlines *deadlines, struct poller_entry *entry)
{
	if (entry->pollset.deadline == CLOCK_NEVER) {
		deadlines_remove(deadlines, entry);
		return;
	}
	if (entry->place == 0)
		deadlines_put(deadlines, deadlines->count++, entry);
	deadlines_settle(deadlines, entry->place - 1);
}
