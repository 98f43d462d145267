/* Waiting for many; see waiter.h. */
#include "flow/waiter.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sys/sys.h"

/* What one wait tells at most; the rest comes with the next. */
#define WAITER_BATCH 256

/* Between two attempts to watch what there was no memory to watch. */
#define WAITER_PAUSE (100 * CLOCK_MILLISECOND)

void
waiter_open(struct waiter *waiter, bool plain)
{
	*waiter = (struct waiter){ .watcher = plain ? -1 : sys_watcher() };
}

void
waiter_close(struct waiter *waiter)
{
	(void)sys_close(&waiter->watcher);
	free(waiter->slots);
	free(waiter->polls);
	free(waiter->heap);
	*waiter = (struct waiter){ .watcher = -1 };
}

/* Makes room in an array for `needed` elements of `size` bytes, new ones zeroed. */
static bool
waiter_grow(void *array, size_t *capacity, size_t needed, size_t size)
{
	void **memory = array;
	size_t wanted = *capacity < 8 ? 8 : *capacity;
	if (needed <= *capacity)
		return true;
	while (wanted < needed)
		wanted *= 2;
	if (wanted > SIZE_MAX / size)
		return false;
	unsigned char *grown = realloc(*memory, wanted * size);
	if (grown == NULL)
		return false;
	for (size_t i = *capacity * size; i < wanted * size; i++)
		grown[i] = 0;
	*memory = grown;
	*capacity = wanted;
	return true;
}

/* --- deadlines: a binary heap --- */

static void
waiter_heap_put(struct waiter *waiter, size_t at, struct waiting *waiting)
{
	waiter->heap[at] = waiting;
	waiting->place = at + 1;
}

static bool
waiter_is_earlier(const struct waiting *one, const struct waiting *other)
{
	return one->interest.deadline < other->interest.deadline;
}

/* Moves what is at a place to where it belongs. */
static void
waiter_heap_settle(struct waiter *waiter, size_t at)
{
	struct waiting *waiting = waiter->heap[at];
	while (at > 0 && waiter_is_earlier(waiting, waiter->heap[(at - 1) / 2])) {
		waiter_heap_put(waiter, at, waiter->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = at * 2 + 1;
		if (child + 1 < waiter->heap_count &&
			waiter_is_earlier(waiter->heap[child + 1], waiter->heap[child]))
			child++;
		if (child >= waiter->heap_count || !waiter_is_earlier(waiter->heap[child], waiting))
			break;
		waiter_heap_put(waiter, at, waiter->heap[child]);
		at = child;
	}
	waiter_heap_put(waiter, at, waiting);
}

static void
waiter_heap_remove(struct waiter *waiter, struct waiting *waiting)
{
	if (waiting->place == 0)
		return;
	size_t at = waiting->place - 1;
	struct waiting *last = waiter->heap[--waiter->heap_count];
	waiting->place = 0;
	if (last == waiting)
		return;
	waiter_heap_put(waiter, at, last);
	waiter_heap_settle(waiter, at);
}

/* Keeps it where its deadline belongs. */
static void
waiter_heap_set(struct waiter *waiter, struct waiting *waiting)
{
	if (waiting->interest.deadline == CLOCK_NEVER) {
		waiter_heap_remove(waiter, waiting);
		return;
	}
	if (waiting->place == 0)
		waiter_heap_put(waiter, waiter->heap_count++, waiting);
	waiter_heap_settle(waiter, waiting->place - 1);
}

/* Room for it in the heap, whether it has a deadline now or not. */
static bool
waiter_know(struct waiter *waiter, struct waiting *waiting)
{
	if (waiting->known)
		return true;
	if (!waiter_grow(&waiter->heap, &waiter->heap_capacity, waiter->known + 1,
		    sizeof(struct waiting *)))
		return false;
	waiting->known = true;
	waiter->known++;
	return true;
}

/* --- whose turn it is --- */

static void
waiter_unlist(struct waiting *waiting)
{
	struct waiter_list *list = waiting->list;
	if (list == NULL)
		return;
	waiting->list = NULL;
	*(waiting->previous != NULL ? &waiting->previous->next : &list->first) = waiting->next;
	*(waiting->next != NULL ? &waiting->next->previous : &list->last) = waiting->previous;
}

static void
waiter_enlist(struct waiter_list *list, struct waiting *waiting)
{
	waiter_unlist(waiting);
	waiting->list = list;
	waiting->next = NULL;
	waiting->previous = list->last;
	*(list->last != NULL ? &list->last->next : &list->first) = waiting;
	list->last = waiting;
}

void
waiter_wake(struct waiter *waiter, struct waiting *waiting)
{
	if (waiting->list == NULL)
		waiter_enlist(&waiter->woken, waiting);
}

struct waiting *
waiter_next(struct waiter *waiter)
{
	struct waiting *waiting = waiter->due.first;
	if (waiting == NULL)
		return NULL;
	waiter_unlist(waiting);
	struct interest *interest = &waiting->interest;
	for (size_t i = 0; i < interest->count; i++) {
		struct pollfd *poll = &interest->polls[i];
		if ((size_t)poll->fd < waiter->slot_count && waiter->slots[poll->fd].always)
			poll->revents = poll->events & (POLLIN | POLLOUT);
	}
	return waiting;
}

/* --- descriptors --- */

static void
waiter_unwatch(struct waiter *waiter, const struct waiting *waiting, int fd)
{
	struct waiter_slot *slot = &waiter->slots[fd];
	if (slot->owner != waiting)
		return;
	if (waiter->watcher != -1 && !slot->always)
		sys_unwatch(waiter->watcher, fd);
	*slot = (struct waiter_slot){ .owner = NULL };
}

/* All that it wants of a descriptor. */
static short
waiter_events(const struct interest *interest, int fd)
{
	short events = 0;
	for (size_t i = 0; i < interest->count; i++)
		if (interest->polls[i].fd == fd)
			events |= interest->polls[i].events;
	return events;
}

static bool
waiter_wants(const struct interest *interest, int fd)
{
	for (size_t i = 0; i < interest->count; i++)
		if (interest->polls[i].fd == fd)
			return true;
	return false;
}

static bool
waiter_watch(struct waiter *waiter, struct waiting *waiting, int fd, bool anew)
{
	if (!waiter_grow(
		    &waiter->slots, &waiter->slot_count, (size_t)fd + 1, sizeof *waiter->slots))
		return false;
	if (waiter->watcher == -1 &&
		!waiter_grow(&waiter->polls, &waiter->poll_capacity, waiter->slot_count,
			sizeof *waiter->polls))
		return false;
	struct waiter_slot *slot = &waiter->slots[fd];
	short events = waiter_events(&waiting->interest, fd);
	bool known = slot->owner == waiting;
	if (!known &&
		!waiter_grow(&waiting->fds, &waiting->capacity, waiting->count + 1,
			sizeof *waiting->fds))
		return false;
	if (known && slot->events == events && !anew)
		return true;
	bool always = false;
	if (waiter->watcher != -1 &&
		!sys_watch(waiter->watcher, fd, events, known && !slot->always)) {
		if (errno != EPERM) {
			/* Not what anybody will ask for, so that it is not taken for known. */
			if (known)
				slot->events = (short)~slot->events;
			return false;
		}
		always = true;
	}
	if (!known)
		waiting->fds[waiting->count++] = fd;
	*slot = (struct waiter_slot){ waiting, events, always };
	return true;
}

bool
waiter_set(struct waiter *waiter, struct waiting *waiting, bool anew, struct fault *fault)
{
	struct interest *interest = &waiting->interest;
	bool all = !interest->failed;
	size_t kept = 0;
	if (!waiter_know(waiter, waiting))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "wait");
	for (size_t i = 0; i < waiting->count; i++) {
		if (waiter_wants(interest, waiting->fds[i]))
			waiting->fds[kept++] = waiting->fds[i];
		else
			waiter_unwatch(waiter, waiting, waiting->fds[i]);
	}
	waiting->count = kept;
	for (size_t i = 0; i < interest->count; i++) {
		int fd = interest->polls[i].fd;
		if (!waiter_watch(waiter, waiting, fd, anew))
			all = false;
		else if (waiter->slots[fd].always)
			waiter_wake(waiter, waiting);
	}
	/* It has a turn soon, and asks again. */
	if (!all)
		interest_until(interest, clock_after(clock_now(), WAITER_PAUSE));
	waiter_heap_set(waiter, waiting);
	return true;
}

void
waiter_remove(struct waiter *waiter, struct waiting *waiting)
{
	for (size_t i = 0; i < waiting->count; i++)
		waiter_unwatch(waiter, waiting, waiting->fds[i]);
	waiter_heap_remove(waiter, waiting);
	waiter_unlist(waiting);
	interest_close(&waiting->interest);
	free(waiting->fds);
	waiter->known -= waiting->known;
	*waiting = (struct waiting){ .fds = NULL };
}

/* --- a turn --- */

static void
waiter_fire(struct waiter *waiter, int fd, short events)
{
	struct waiting *waiting = waiter->slots[fd].owner;
	if (waiting == NULL)
		return;
	struct interest *interest = &waiting->interest;
	for (size_t i = 0; i < interest->count; i++)
		if (interest->polls[i].fd == fd)
			interest->polls[i].revents = events;
	waiter_enlist(&waiter->due, waiting);
}

/* How many have fired; -1 with errno. */
static int
waiter_poll(struct waiter *waiter, int timeout)
{
	size_t count = 0;
	for (size_t fd = 0; fd < waiter->slot_count; fd++)
		if (waiter->slots[fd].owner != NULL)
			waiter->polls[count++] = (struct pollfd){ .fd = (int)fd,
				.events = waiter->slots[fd].events };
	int fired = poll(waiter->polls, (nfds_t)count, timeout);
	for (size_t i = 0; i < count && fired > 0; i++)
		if (waiter->polls[i].revents != 0)
			waiter_fire(waiter, waiter->polls[i].fd, waiter->polls[i].revents);
	return fired;
}

static int
waiter_watch_all(struct waiter *waiter, int timeout)
{
	struct sys_fired fired[WAITER_BATCH];
	int count = sys_watched(waiter->watcher, fired, WAITER_BATCH, timeout);
	for (int i = 0; i < count; i++)
		waiter_fire(waiter, fired[i].fd, fired[i].events);
	return count;
}

bool
waiter_wait(struct waiter *waiter, int64_t *now, struct fault *fault)
{
	int64_t deadline =
		waiter->heap_count > 0 ? waiter->heap[0]->interest.deadline : CLOCK_NEVER;
	int timeout = waiter->woken.first != NULL ? 0 : clock_poll_timeout(clock_now(), deadline);
	while (waiter->woken.first != NULL)
		waiter_enlist(&waiter->due, waiter->woken.first);
	int fired = waiter->watcher != -1 ? waiter_watch_all(waiter, timeout)
					  : waiter_poll(waiter, timeout);
	if (fired == -1 && errno != EINTR && errno != EAGAIN)
		return fault_set(
			fault, errno == ENOMEM ? STATUS_MEMORY : STATUS_INTERNAL, errno, "wait");
	*now = clock_now();
	while (waiter->heap_count > 0 && waiter->heap[0]->interest.deadline <= *now) {
		struct waiting *waiting = waiter->heap[0];
		waiter_heap_remove(waiter, waiting);
		if (waiting->list == NULL)
			waiter_enlist(&waiter->due, waiting);
	}
	return true;
}
