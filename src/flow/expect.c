/* The number of bytes that have to arrive; see stage.h. */
#include "flow/stage.h"

#include <inttypes.h>

static void
expect_passed(struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)pieces, (void)count, (void)now;
	stage->expect.passed += n;
}

static bool
expect_check(struct stage *stage, const char *source, bool ended, struct fault *fault)
{
	uint64_t expected = stage->expect.bytes, passed = stage->expect.passed;
	if (passed > expected)
		return fault_set(fault, STATUS_CUT, 0,
			"receive from %s: more than the expected %" PRIu64 " byte%s", source,
			expected, expected == 1 ? "" : "s");
	if (ended && passed < expected)
		return fault_set(fault, STATUS_CUT, 0,
			"receive from %s: %" PRIu64 " of the expected %" PRIu64 " byte%s", source,
			passed, expected, expected == 1 ? "" : "s");
	return true;
}

static const struct stage_ops expect_ops = { .passed = expect_passed, .check = expect_check };

const struct stage expect_stage = { .ops = &expect_ops };
