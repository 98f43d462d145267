/* The rate limit, with a simulated clock. */
#include "base/ratelimit.h"

#include "base/clock.h"
#include "check.h"

/* How many of the attempts at a time are permitted. */
static unsigned
ratelimit_test_try(struct ratelimit *ratelimit, unsigned attempts, int64_t now)
{
	unsigned through = 0;
	for (unsigned i = 0; i < attempts; i++)
		through += ratelimit_take(ratelimit, now);
	return through;
}

/* A burst, the steady rate once a second, and a burst again after a pause; for any start of the
 * clock. */
static void
ratelimit_test_from(int64_t start)
{
	struct ratelimit ratelimit = { .used = 0 };
	CHECK(ratelimit_test_try(&ratelimit, 10000, start) == RATELIMIT_BURST);
	/* The seconds do not have to begin with the first attempt. */
	int64_t begin = ratelimit.renewed;
	CHECK(begin <= start && start - begin < CLOCK_SECOND);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + CLOCK_SECOND - 1) == 0);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + CLOCK_SECOND) == RATELIMIT_RATE);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + 2 * CLOCK_SECOND - 1) == 0);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + 2 * CLOCK_SECOND) == RATELIMIT_RATE);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + 4 * CLOCK_SECOND) ==
		2 * RATELIMIT_RATE);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + 9 * CLOCK_SECOND) == RATELIMIT_BURST);
	CHECK(ratelimit_test_try(&ratelimit, 10000, begin + 3600 * CLOCK_SECOND) ==
		RATELIMIT_BURST);
}

/* A flood for a minute, and a rate below the limit. */
static void
ratelimit_test_rates(void)
{
	struct ratelimit flood = { .used = 0 }, calm = { .used = 0 };
	unsigned through = 0, lost = 0;
	for (int64_t ms = 0; ms < 60000; ms++) {
		int64_t now = ms * CLOCK_MILLISECOND;
		through += ratelimit_test_try(&flood, 3, now);
		lost += ms % 50 == 0 && !ratelimit_take(&calm, now);
	}
	CHECK(through == RATELIMIT_BURST + 59 * RATELIMIT_RATE);
	CHECK(lost == 0);
}

int
main(void)
{
	ratelimit_test_from(0);
	ratelimit_test_from(5);
	ratelimit_test_from(3 * CLOCK_SECOND + 7);
	ratelimit_test_from(1234567 * CLOCK_SECOND + 999);
	ratelimit_test_from(INT64_MAX / 2);
	ratelimit_test_rates();
	return check_verdict("ratelimit");
}
