/* When something that failed is repeated (--retry). */
#include "base/clock.h"
#include "base/retry.h"
#include "check.h"

#define MS CLOCK_MILLISECOND

/* The delays without and with the most jitter. */
static void
retry_test_grows(void)
{
	static const int64_t expected[] = { 250, 500, 1000, 2000, 4000, 5000, 5000, 5000 };
	const struct retry_config config = { .most = UINT64_MAX, .span = CLOCK_NEVER };
	struct retry longest = { .since = 7 }, shortest = { .since = 7 };
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		int64_t most = 0, least = 0, some = 0, full = expected[i] * MS;
		struct retry middle = longest;
		CHECK(retry_again(&longest, &config, 7, 0, &most));
		CHECK(retry_again(&shortest, &config, 7, (uint64_t)(full / 2), &least));
		CHECK(retry_again(&middle, &config, 7, UINT64_MAX / 3, &some));
		CHECK(most == full && least == full - full / 2);
		CHECK(some >= least && some <= most);
	}
	CHECK(longest.done == 8);
	/* No overflow after a long time. */
	longest.done = UINT64_MAX - 1;
	int64_t delay = 0;
	CHECK(retry_again(&longest, &config, 7, 0, &delay) && delay == 5000 * MS);
}

static void
retry_test_counts(void)
{
	const struct retry_config config = { .most = 2, .span = CLOCK_NEVER, .delay = 30 * MS };
	const struct retry_config never = { .span = CLOCK_NEVER };
	struct retry retry = { .since = 0 };
	int64_t delay = 0;
	CHECK(retry_again(&retry, &config, 5, 99, &delay) && delay == 30 * MS);
	CHECK(retry_again(&retry, &config, 5, 7, &delay) && delay == 30 * MS);
	CHECK(!retry_again(&retry, &config, 5, 0, &delay) && retry.done == 2);
	retry.done = 0;
	CHECK(!retry_again(&retry, &never, 5, 0, &delay));
	CHECK(!retry_again(&retry, &(struct retry_config){ 0 }, 5, 0, &delay));
}

/* The last try starts at the end of the span, whatever the delay, and there is none after it. */
static void
retry_test_ends(void)
{
	const struct retry_config config = {
		.most = UINT64_MAX, .span = 1000 * MS, .delay = 400 * MS
	};
	struct retry retry = { .since = 100 * MS };
	int64_t delay = 0;
	CHECK(retry_again(&retry, &config, 150 * MS, 0, &delay) && delay == 400 * MS);
	CHECK(retry_again(&retry, &config, 1000 * MS, 0, &delay) && delay == 100 * MS);
	CHECK(!retry_again(&retry, &config, 1100 * MS, 0, &delay));
	CHECK(!retry_again(&retry, &config, 5000 * MS, 0, &delay) && retry.done == 2);
	/* A machine that was stopped for a while makes one try, not one for each that it missed. */
	const struct retry_config fixed = {
		.most = UINT64_MAX, .span = CLOCK_NEVER, .delay = 10 * MS
	};
	CHECK(retry_again(&retry, &fixed, 3600 * CLOCK_SECOND, 0, &delay) && delay == 10 * MS);
}

int
main(void)
{
	retry_test_grows();
	retry_test_counts();
	retry_test_ends();
	return check_verdict("retry");
}
