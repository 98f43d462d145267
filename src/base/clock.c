/* The monotonic clock; see clock.h. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

int64_t
clock_now(void)
{
	struct timespec now;
	/* Cannot fail: every supported system has CLOCK_MONOTONIC. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

int64_t
clock_after(int64_t now, int64_t span)
{
	return span >= CLOCK_NEVER - now ? CLOCK_NEVER : now + span;
}

int64_t
clock_scheduled(int64_t begin, int64_t interval, int64_t last, int64_t now)
{
	int64_t next = clock_after(last, interval);
	return now - next < interval ? next : now - (now - begin) % interval;
}

int
clock_poll_timeout(int64_t now, int64_t deadline)
{
	if (deadline == CLOCK_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	int64_t left = deadline - now;
	int64_t milliseconds = left / CLOCK_MILLISECOND + (left % CLOCK_MILLISECOND != 0);
	return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}
