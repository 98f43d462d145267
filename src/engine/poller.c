/* The poller; see poller.h. */
#include "engine/poller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sys/sys.h"

/* The most events of one wait; the rest is reported by the next. */
#define POLLER_BATCH 256

/* The interval of attempts to register a descriptor without memory. */
#define POLLER_PAUSE (100 * CLOCK_MILLISECOND)

/* An entry fails after this time without memory. */
#define POLLER_LIMIT (10 * CLOCK_SECOND)

void
poller_open(struct poller *poller, bool plain)
{
	*poller = (struct poller){ .watcher = -1, .plain = plain, .few = POLLER_FEW };
}

void
poller_close(struct poller *poller)
{
	(void)sys_close(&poller->watcher);
	free(poller->slots);
	free(poller->polls);
	deadlines_close(&poller->deadlines);
	*poller = (struct poller){ .watcher = -1 };
}

/* Makes room in an array for `needed` elements of `size` bytes, new ones zeroed. */
static bool
poller_grow(void *array, size_t *capacity, size_t needed, size_t size)
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
	memset(grown + *capacity * size, 0, (wanted - *capacity) * size);
	*memory = grown;
	*capacity = wanted;
	return true;
}

/* --- lists of due entries --- */

static void
poller_unlist(struct poller_entry *entry)
{
	struct poller_list *list = entry->list;
	if (list == NULL)
		return;
	entry->list = NULL;
	*(entry->previous != NULL ? &entry->previous->next : &list->first) = entry->next;
	*(entry->next != NULL ? &entry->next->previous : &list->last) = entry->previous;
}

static void
poller_enlist(struct poller_list *list, struct poller_entry *entry)
{
	poller_unlist(entry);
	entry->list = list;
	entry->next = NULL;
	entry->previous = list->last;
	*(list->last != NULL ? &list->last->next : &list->first) = entry;
	list->last = entry;
}

void
poller_wake(struct poller *poller, struct poller_entry *entry)
{
	if (entry->list == NULL)
		poller_enlist(&poller->woken, entry);
}

struct poller_entry *
poller_next(struct poller *poller)
{
	struct poller_entry *entry = poller->due.first;
	if (entry == NULL)
		return NULL;
	poller_unlist(entry);
	struct pollset *pollset = &entry->pollset;
	for (size_t i = 0; i < pollset->count; i++) {
		struct pollfd *poll = &pollset->polls[i];
		if ((size_t)poll->fd < poller->slot_count && poller->slots[poll->fd].always)
			poll->revents = poll->events & (POLLIN | POLLOUT);
	}
	return entry;
}

bool
poller_take(struct poller_entry *entry)
{
	bool due = entry->list != NULL;
	poller_unlist(entry);
	return due;
}

/* --- descriptors --- */

static void
poller_unwatch(struct poller *poller, const struct poller_entry *entry, int fd)
{
	struct poller_slot *slot = &poller->slots[fd];
	if (slot->owner != entry) {
		poller->contested--;
		return;
	}
	if (poller->watcher != -1 && !slot->always)
		sys_unwatch(poller->watcher, fd);
	*slot = (struct poller_slot){ .owner = NULL };
	poller->watched--;
}

/* All events that a pollset has for a descriptor. */
static short
poller_events(const struct pollset *pollset, int fd)
{
	short events = 0;
	for (size_t i = 0; i < pollset->count; i++)
		if (pollset->polls[i].fd == fd)
			events |= pollset->polls[i].events;
	return events;
}

static bool
poller_wants(const struct pollset *pollset, int fd)
{
	for (size_t i = 0; i < pollset->count; i++)
		if (pollset->polls[i].fd == fd)
			return true;
	return false;
}

static bool
poller_lists(const struct poller_entry *entry, int fd)
{
	for (size_t i = 0; i < entry->count; i++)
		if (entry->fds[i] == fd)
			return true;
	return false;
}

/* Makes an entry the owner of a slot. The previous owner may have closed the descriptor in this
 * turn, and lists it until its own poller_set. */
static void
poller_own(struct poller *poller, struct poller_entry *entry, int fd)
{
	poller->contested += poller->slots[fd].owner != NULL;
	if (poller_lists(entry, fd))
		poller->contested--;
	else
		entry->fds[entry->count++] = fd;
}

static bool
poller_watch(struct poller *poller, struct poller_entry *entry, int fd, bool reopened)
{
	short events = poller_events(&entry->pollset, fd);
	bool known = (size_t)fd < poller->slot_count && poller->slots[fd].owner == entry;
	if (known && poller->slots[fd].events == events && !reopened)
		return true;
	if (!poller_grow(
		    &poller->slots, &poller->slot_count, (size_t)fd + 1, sizeof *poller->slots))
		return false;
	if (poller->watcher == -1 &&
		!poller_grow(&poller->polls, &poller->poll_capacity, poller->slot_count,
			sizeof *poller->polls))
		return false;
	if (!known &&
		!poller_grow(&entry->fds, &entry->capacity, entry->count + 1, sizeof *entry->fds))
		return false;
	struct poller_slot *slot = &poller->slots[fd];
	bool always = false;
	if (poller->watcher != -1 &&
		!sys_watch(poller->watcher, fd, events, known && !slot->always)) {
		if (errno != EPERM) {
			/* No valid event mask, so that the slot is registered again. */
			if (known)
				slot->events = (short)~slot->events;
			return false;
		}
		always = true;
	}
	poller->watched += slot->owner == NULL;
	if (!known)
		poller_own(poller, entry, fd);
	*slot = (struct poller_slot){ entry, events, always };
	return true;
}

/* Not every descriptor could be registered: the entry is due soon, to ask again. False when that
 * has failed for POLLER_LIMIT. */
static bool
poller_retry(struct poller_entry *entry)
{
	int64_t now = clock_now();
	if (entry->gives_up == 0)
		entry->gives_up = clock_after(now, POLLER_LIMIT);
	pollset_until(&entry->pollset, clock_after(now, POLLER_PAUSE));
	return now < entry->gives_up;
}

bool
poller_set(struct poller *poller, struct poller_entry *entry, bool reopened, struct fault *fault)
{
	struct pollset *pollset = &entry->pollset;
	bool all = !pollset->failed;
	size_t count = 0;
	if (!deadlines_reserve(&poller->deadlines, poller->known + !entry->known))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "wait");
	poller->known += !entry->known;
	entry->known = true;
	for (size_t i = 0; i < entry->count; i++) {
		if (poller_wants(pollset, entry->fds[i]))
			entry->fds[count++] = entry->fds[i];
		else
			poller_unwatch(poller, entry, entry->fds[i]);
	}
	entry->count = count;
	for (size_t i = 0; i < pollset->count; i++) {
		int fd = pollset->polls[i].fd;
		if (!poller_watch(poller, entry, fd, reopened))
			all = false;
		else if (poller->slots[fd].always &&
			(poller->slots[fd].events & (POLLIN | POLLOUT)) != 0)
			poller_wake(poller, entry);
	}
	if (all)
		entry->gives_up = 0;
	else if (!poller_retry(entry))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "wait");
	deadlines_set(&poller->deadlines, entry);
	return true;
}

void
poller_release(struct poller *poller, struct poller_entry *entry)
{
	for (size_t i = 0; i < entry->count; i++)
		poller_unwatch(poller, entry, entry->fds[i]);
	entry->count = 0;
	deadlines_remove(&poller->deadlines, entry);
	poller_unlist(entry);
}

void
poller_remove(struct poller *poller, struct poller_entry *entry)
{
	poller_release(poller, entry);
	pollset_close(&entry->pollset);
	free(entry->fds);
	poller->known -= entry->known;
	*entry = (struct poller_entry){ .fds = NULL };
}

/* Registers a slot with the watcher. False if there is no memory for it. */
static bool
poller_register(struct poller *poller, int fd)
{
	struct poller_slot *slot = &poller->slots[fd];
	if (slot->owner == NULL || sys_watch(poller->watcher, fd, slot->events, false))
		return true;
	slot->always = errno == EPERM;
	if (slot->always && (slot->events & (POLLIN | POLLOUT)) != 0)
		poller_wake(poller, slot->owner);
	return slot->always;
}

/* Switches from poll(2) to the watcher, unless there is none or memory runs out. */
static void
poller_change_over(struct poller *poller)
{
	bool all = true;
	poller->watcher = sys_watcher();
	for (size_t fd = 0; fd < poller->slot_count && poller->watcher != -1 && all; fd++)
		all = poller_register(poller, (int)fd);
	if (!all)
		(void)sys_close(&poller->watcher);
	poller->plain = poller->watcher == -1;
	for (size_t fd = 0; fd < poller->slot_count && poller->plain; fd++)
		poller->slots[fd].always = false;
}

/* --- a turn --- */

static void
poller_fire(struct poller *poller, int fd, short events)
{
	struct poller_entry *entry = poller->slots[fd].owner;
	if (entry == NULL)
		return;
	struct pollset *pollset = &entry->pollset;
	for (size_t i = 0; i < pollset->count; i++)
		if (pollset->polls[i].fd == fd)
			pollset->polls[i].revents = events;
	poller_enlist(&poller->due, entry);
}

/* Waits with poll(2); returns the number of events, or -1 with errno. */
static int
poller_poll(struct poller *poller, int timeout)
{
	size_t count = 0;
	for (size_t fd = 0; fd < poller->slot_count; fd++)
		if (poller->slots[fd].owner != NULL)
			poller->polls[count++] = (struct pollfd){ .fd = (int)fd,
				.events = poller->slots[fd].events };
	int fired = poll(poller->polls, (nfds_t)count, timeout);
	for (size_t i = 0; i < count && fired > 0; i++)
		if (poller->polls[i].revents != 0)
			poller_fire(poller, poller->polls[i].fd, poller->polls[i].revents);
	return fired;
}

static int
poller_watch_all(struct poller *poller, int timeout)
{
	struct sys_fired fired[POLLER_BATCH];
	int count = sys_watched(poller->watcher, fired, POLLER_BATCH, timeout);
	for (int i = 0; i < count; i++)
		poller_fire(poller, fired[i].fd, fired[i].events);
	return count;
}

bool
poller_wait(struct poller *poller, int64_t *now, struct fault *fault)
{
	if (poller->contested > 0)
		return fault_set(fault, STATUS_INTERNAL, 0, "wait: a descriptor has two owners");
	if (poller->watcher == -1 && !poller->plain && poller->watched > poller->few)
		poller_change_over(poller);
	struct poller_entry *first = deadlines_first(&poller->deadlines);
	int64_t deadline = first != NULL ? first->pollset.deadline : CLOCK_NEVER;
	int timeout = poller->woken.first != NULL ? 0 : clock_poll_timeout(clock_now(), deadline);
	while (poller->woken.first != NULL)
		poller_enlist(&poller->due, poller->woken.first);
	int fired = poller->watcher != -1 ? poller_watch_all(poller, timeout)
					  : poller_poll(poller, timeout);
	if (fired == -1 && errno != EINTR && errno != EAGAIN)
		return fault_set(
			fault, errno == ENOMEM ? STATUS_MEMORY : STATUS_INTERNAL, errno, "wait");
	*now = clock_now();
	for (; (first = deadlines_first(&poller->deadlines)) != NULL &&
		first->pollset.deadline <= *now;
		deadlines_remove(&poller->deadlines, first))
		if (first->list == NULL)
			poller_enlist(&poller->due, first);
	return true;
}
