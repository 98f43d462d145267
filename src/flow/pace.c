/* A pause after each line; see stage.h. */
#include "flow/stage.h"

#include <string.h>

#include "base/clock.h"

static size_t
pace_limit(const struct stage *stage, const struct iovec *pieces, int count)
{
	size_t before = 0;
	if (stage->messages)
		return pieces[0].iov_len;
	for (int i = 0; i < count; before += pieces[i++].iov_len) {
		const char *start = pieces[i].iov_base, *end;
		end = memchr(start, '\n', pieces[i].iov_len);
		if (end != NULL)
			return before + (size_t)(end - start) + 1;
	}
	return SIZE_MAX;
}

static void
pace_passed(struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	size_t unit = pace_limit(stage, pieces, count);
	if (n == unit)
		stage->until = clock_after(now, stage->amount);
}

static const struct stage_ops pace_ops = { .limit = pace_limit, .passed = pace_passed };

const struct stage pace_stage = { .ops = &pace_ops, .inspects = true };
