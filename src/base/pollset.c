/* The poll set; see pollset.h. */
#include "base/pollset.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

void
pollset_begin(struct pollset *pollset)
{
	pollset->count = 0;
	pollset->deadline = CLOCK_NEVER;
	pollset->failed = false;
}

void
pollset_close(struct pollset *pollset)
{
	free(pollset->polls);
	*pollset = (struct pollset){ .polls = NULL };
}

static size_t
pollset_add(struct pollset *pollset, int fd, short events)
{
	if (pollset->count == pollset->capacity) {
		size_t capacity = pollset->capacity == 0 ? 8 : pollset->capacity * 2;
		struct pollfd *polls = NULL;
		if (capacity <= SIZE_MAX / sizeof *polls)
			polls = realloc(pollset->polls, capacity * sizeof *polls);
		if (polls == NULL) {
			pollset->failed = true;
			return POLLSET_NONE;
		}
		pollset->polls = polls;
		pollset->capacity = capacity;
	}
	pollset->polls[pollset->count] = (struct pollfd){ .fd = fd, .events = events };
	return pollset->count++;
}

size_t
pollset_ask(struct pollset *pollset, int fd, short events)
{
	return fd == -1 || events == 0 ? POLLSET_NONE : pollset_add(pollset, fd, events);
}

size_t
pollset_watch(struct pollset *pollset, int fd)
{
	return fd == -1 ? POLLSET_NONE : pollset_add(pollset, fd, 0);
}

void
pollset_until(struct pollset *pollset, int64_t deadline)
{
	pollset->deadline = clock_earlier(pollset->deadline, deadline);
}

bool
pollset_fired(const struct pollset *pollset, size_t entry)
{
	if (entry >= pollset->count)
		return false;
	const struct pollfd *poll = &pollset->polls[entry];
	return (poll->revents & (poll->events | POLLERR | POLLHUP | POLLNVAL)) != 0;
}

short
pollset_look(int fd, short events)
{
	struct pollfd look = { .fd = fd, .events = events };
	return poll(&look, 1, 0) == 1 ? look.revents : 0;
}

size_t
pollset_closed(int first, int count)
{
	struct pollfd looks[POLLSET_CLOSED];
	size_t closed = 0;
	int result;
	for (int i = 0; i < count; i++)
		looks[i] = (struct pollfd){ .fd = first + i };
	do
		result = poll(looks, (nfds_t)count, 0);
	while (result == -1 && errno == EINTR);
	for (int i = 0; i < count && result > 0; i++)
		closed += (looks[i].revents & POLLNVAL) != 0;
	return closed;
}
