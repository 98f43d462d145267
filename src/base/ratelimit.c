/* The rate limit; see ratelimit.h. */
#include "base/ratelimit.h"

#include "base/clock.h"

bool
ratelimit_take(struct ratelimit *ratelimit, int64_t now)
{
	int64_t seconds = (now - ratelimit->renewed) / CLOCK_SECOND;
	ratelimit->renewed += seconds * CLOCK_SECOND;
	if (seconds >= RATELIMIT_BURST / RATELIMIT_RATE)
		ratelimit->used = 0;
	for (; seconds > 0 && ratelimit->used > 0; seconds--)
		ratelimit->used -=
			ratelimit->used < RATELIMIT_RATE ? ratelimit->used : RATELIMIT_RATE;
	if (ratelimit->used == RATELIMIT_BURST)
		return false;
	ratelimit->used++;
	return true;
}
