/* A limit on the bytes per second; see stage.h. */
#include "flow/stage.h"

#include "base/clock.h"

/* How often bytes pass in a second. */
#define RATE_TURNS 50
/* A flow that was late by up to this time makes up for it, so that the mean rate holds. */
#define RATE_LATE (50 * CLOCK_MILLISECOND)

static size_t
rate_limit(const struct stage *stage, const struct iovec *pieces, int count)
{
	(void)pieces, (void)count;
	size_t most = (size_t)stage->amount / RATE_TURNS;
	return most > 0 ? most : 1;
}

static int64_t
rate_span(const struct stage *stage, size_t n)
{
	double span = (double)n / (double)stage->amount * CLOCK_SECOND;
	return span < (double)CLOCK_NEVER ? (int64_t)span : CLOCK_NEVER;
}

static void
rate_passed(struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)pieces, (void)count;
	int64_t burst = rate_span(stage, stage->burst);
	int64_t late = stage->until == 0 ? burst : burst > RATE_LATE ? burst : RATE_LATE;
	int64_t earliest = now > late ? now - late : 0;
	if (stage->until < earliest)
		stage->until = earliest;
	stage->until = clock_after(stage->until, rate_span(stage, n));
}

static const struct stage_ops rate_ops = { .limit = rate_limit, .passed = rate_passed };

const struct stage rate_stage = { .ops = &rate_ops };
