/*
 * A rate limit: a burst of RATELIMIT_BURST events, then RATELIMIT_RATE a second, replenished once a
 * second so that suppressed events are consecutive. A zeroed struct allows a full burst.
 */
#ifndef SOCKCAT_BASE_RATELIMIT_H
#define SOCKCAT_BASE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define RATELIMIT_BURST 100
#define RATELIMIT_RATE 20

struct ratelimit {
	int64_t renewed; /* time of the last replenishment, a whole number of seconds */
	unsigned used;   /* events of the burst that were taken */
};

/* Takes one event; false if none is left. `now` must not decrease. */
bool ratelimit_take(struct ratelimit *ratelimit, int64_t now);

#endif
