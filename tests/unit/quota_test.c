/* What a quota lets through, with a clock that is the test's. */
#include "base/quota.h"

#include "base/clock.h"
#include "check.h"

/* Of so many attempts at that time, how many are let through. */
static unsigned
quota_test_try(struct quota *quota, unsigned attempts, int64_t now)
{
	unsigned through = 0;
	for (unsigned i = 0; i < attempts; i++)
		through += quota_take(quota, now);
	return through;
}

/* A burst, then the steady part once a second, and the burst again after silence; whatever the
 * clock began with. */
static void
quota_test_from(int64_t start)
{
	struct quota quota = { .used = 0 };
	CHECK(quota_test_try(&quota, 10000, start) == QUOTA_BURST);
	/* The seconds need not begin with the first attempt. */
	int64_t begin = quota.renewed;
	CHECK(begin <= start && start - begin < CLOCK_SECOND);
	CHECK(quota_test_try(&quota, 10000, begin + CLOCK_SECOND - 1) == 0);
	CHECK(quota_test_try(&quota, 10000, begin + CLOCK_SECOND) == QUOTA_RATE);
	CHECK(quota_test_try(&quota, 10000, begin + 2 * CLOCK_SECOND - 1) == 0);
	CHECK(quota_test_try(&quota, 10000, begin + 2 * CLOCK_SECOND) == QUOTA_RATE);
	CHECK(quota_test_try(&quota, 10000, begin + 4 * CLOCK_SECOND) == 2 * QUOTA_RATE);
	CHECK(quota_test_try(&quota, 10000, begin + 9 * CLOCK_SECOND) == QUOTA_BURST);
	CHECK(quota_test_try(&quota, 10000, begin + 3600 * CLOCK_SECOND) == QUOTA_BURST);
}

/* A flood for a minute, and what stays below the rate. */
static void
quota_test_rates(void)
{
	struct quota flood = { .used = 0 }, calm = { .used = 0 };
	unsigned through = 0, lost = 0;
	for (int64_t ms = 0; ms < 60000; ms++) {
		int64_t now = ms * CLOCK_MILLISECOND;
		through += quota_test_try(&flood, 3, now);
		lost += ms % 50 == 0 && !quota_take(&calm, now);
	}
	CHECK(through == QUOTA_BURST + 59 * QUOTA_RATE);
	CHECK(lost == 0);
}

int
main(void)
{
	quota_test_from(0);
	quota_test_from(5);
	quota_test_from(3 * CLOCK_SECOND + 7);
	quota_test_from(1234567 * CLOCK_SECOND + 999);
	quota_test_from(INT64_MAX / 2);
	quota_test_rates();
	return check_verdict("quota");
}
