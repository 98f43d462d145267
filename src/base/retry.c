/* Repeating; see retry.h. */
#include "base/retry.h"

#include "base/clock.h"

#define RETRY_FIRST (250 * CLOCK_MILLISECOND)
#define RETRY_LONGEST (5 * CLOCK_SECOND)

static int64_t
retry_delay(uint64_t done, uint64_t random)
{
	int64_t delay = RETRY_FIRST;
	while (done-- > 0 && delay < RETRY_LONGEST)
		delay *= 2;
	delay = clock_earlier(delay, RETRY_LONGEST);
	return delay - (int64_t)(random % (uint64_t)(delay / 2 + 1));
}

bool
retry_again(struct retry *retry, const struct retry_config *config, int64_t now, uint64_t random,
	int64_t *delay)
{
	int64_t end = clock_after(retry->since, config->span);
	if (retry->done >= config->most || now >= end)
		return false;
	*delay = config->delay > 0 ? config->delay : retry_delay(retry->done, random);
	/* The last one starts at the end. */
	*delay = clock_earlier(*delay, end - now);
	retry->done++;
	return true;
}
