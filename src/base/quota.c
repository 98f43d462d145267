/* A quota; see quota.h. */
#include "base/quota.h"

#include "base/clock.h"

bool
quota_take(struct quota *quota, int64_t now)
{
	int64_t seconds = (now - quota->renewed) / CLOCK_SECOND;
	quota->renewed += seconds * CLOCK_SECOND;
	if (seconds >= QUOTA_BURST / QUOTA_RATE)
		quota->used = 0;
	for (; seconds > 0 && quota->used > 0; seconds--)
		quota->used -= quota->used < QUOTA_RATE ? quota->used : QUOTA_RATE;
	if (quota->used == QUOTA_BURST)
		return false;
	quota->used++;
	return true;
}
