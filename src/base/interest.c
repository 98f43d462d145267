/* What one turn waits for; see interest.h. */
#include "base/interest.h"

#include <stdlib.h>

#include "base/clock.h"

void
interest_begin(struct interest *interest)
{
	interest->count = 0;
	interest->deadline = CLOCK_NEVER;
	interest->failed = false;
}

void
interest_close(struct interest *interest)
{
	free(interest->polls);
	*interest = (struct interest){ .polls = NULL };
}

static size_t
interest_add(struct interest *interest, int fd, short events)
{
	if (interest->count == interest->capacity) {
		size_t capacity = interest->capacity == 0 ? 8 : interest->capacity * 2;
		struct pollfd *polls = NULL;
		if (capacity <= SIZE_MAX / sizeof *polls)
			polls = realloc(interest->polls, capacity * sizeof *polls);
		if (polls == NULL) {
			interest->failed = true;
			return INTEREST_NONE;
		}
		interest->polls = polls;
		interest->capacity = capacity;
	}
	interest->polls[interest->count] = (struct pollfd){ .fd = fd, .events = events };
	return interest->count++;
}

size_t
interest_ask(struct interest *interest, int fd, short events)
{
	return fd == -1 || events == 0 ? INTEREST_NONE : interest_add(interest, fd, events);
}

size_t
interest_watch(struct interest *interest, int fd)
{
	return fd == -1 ? INTEREST_NONE : interest_add(interest, fd, 0);
}

void
interest_until(struct interest *interest, int64_t deadline)
{
	interest->deadline = clock_earlier(interest->deadline, deadline);
}

bool
interest_fired(const struct interest *interest, size_t entry)
{
	if (entry >= interest->count)
		return false;
	const struct pollfd *poll = &interest->polls[entry];
	return (poll->revents & (poll->events | POLLERR | POLLHUP | POLLNVAL)) != 0;
}
