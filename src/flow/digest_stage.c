/* The digest of what has passed; see digest_stage.h. */
#include "flow/digest_stage.h"

#include <string.h>

#include "flow/stage.h"

static bool
digest_stage_open(struct stage *stage, struct fault *fault)
{
	stage->digest.digest = digest_new(stage->digest.algorithm->name, fault);
	return stage->digest.digest != NULL;
}

static void
digest_stage_close(struct stage *stage)
{
	digest_free(stage->digest.digest);
	stage->digest.digest = NULL;
}

static void
digest_stage_passed(
	struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	struct fault fault = FAULT_NONE;
	(void)now;
	for (int i = 0; i < count && n > 0; i++) {
		size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
		if (!digest_add(stage->digest.digest, pieces[i].iov_base, part, &fault))
			stage->digest.failed = true;
		fault_clear(&fault);
		n -= part;
	}
}

/* Computes the result, once. False and a fault: the library has failed. */
static bool
digest_stage_finish(struct digest_stage *stage, struct fault *fault)
{
	unsigned char result[DIGEST_SIZE];
	size_t length;
	if (stage->digest == NULL)
		return !stage->failed;
	if (stage->failed)
		(void)fault_set(fault, STATUS_MISSING, 0, "compute %s: the library failed",
			stage->algorithm->label);
	else if (digest_finish(stage->digest, result, &length, fault))
		digest_hex(result, length, stage->hex);
	stage->failed = fault_is_set(fault);
	digest_free(stage->digest);
	stage->digest = NULL;
	return !stage->failed;
}

static bool
digest_stage_check(struct stage *stage, const char *source, bool ended, struct fault *fault)
{
	struct digest_stage *state = &stage->digest;
	char wanted[2 * DIGEST_SIZE + 1];
	if (!ended)
		return true;
	if (!digest_stage_finish(state, fault))
		return false;
	digest_hex(state->wanted, state->algorithm->size, wanted);
	return !state->expected || strcmp(state->hex, wanted) == 0 ||
		fault_set(fault, STATUS_CUT, 0, "receive from %s: %s is %s, not the expected %s",
			source, state->algorithm->label, state->hex, wanted);
}

static const struct stage_ops digest_stage_ops = {
	.open = digest_stage_open,
	.close = digest_stage_close,
	.passed = digest_stage_passed,
	.check = digest_stage_check,
	.why = "the digest needs every byte",
};

const struct stage digest_stage = { .ops = &digest_stage_ops, .inspects = true };

bool
digest_stage_result(
	struct stage_list *stages, const struct digest_algorithm **algorithm, const char **hex)
{
	struct fault fault = FAULT_NONE;
	for (size_t i = 0; i < stages->count; i++) {
		struct digest_stage *stage = &stages->list[i].digest;
		if (stages->list[i].ops != &digest_stage_ops || !stage->reported)
			continue;
		bool good = digest_stage_finish(stage, &fault);
		fault_clear(&fault);
		*algorithm = stage->algorithm;
		*hex = stage->hex;
		return good;
	}
	return false;
}
