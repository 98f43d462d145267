/*
 * One monotonic clock in nanoseconds and absolute deadlines on it. Steps of the wall clock have no
 * effect.
 */
#ifndef SOCKCAT_BASE_CLOCK_H
#define SOCKCAT_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)

/* No deadline. */
#define CLOCK_NEVER INT64_MAX

/* Now, in nanoseconds since an arbitrary point. */
int64_t clock_now(void);

/* now + span; a span of CLOCK_NEVER, or one that leaves the range, gives CLOCK_NEVER. */
int64_t clock_after(int64_t now, int64_t span);

static inline int64_t
clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * The time after `last` of a schedule that has one at `begin` and then one every `interval`. Times
 * that have passed by an interval or more at `now` are left out, the others do not move.
 */
int64_t clock_scheduled(int64_t begin, int64_t interval, int64_t last, int64_t now);

/*
 * The timeout for poll(2) in milliseconds: -1 for CLOCK_NEVER, 0 if the deadline has passed,
 * otherwise rounded up, since a turn just before the deadline would spin.
 */
int clock_poll_timeout(int64_t now, int64_t deadline);

#endif
