/* The stages of a flow; see stage.h. */
#include "flow/stage.h"

#include <errno.h>
#include <stdlib.h>

bool
stage_open(struct stage_list *stages, const struct stage *from, bool messages, struct fault *fault)
{
	*stages = (struct stage_list){ .list = NULL };
	while (from != NULL && from[stages->count].ops != NULL)
		stages->count++;
	if (stages->count == 0)
		return true;
	stages->list = calloc(stages->count, sizeof *stages->list);
	if (stages->list == NULL) {
		stages->count = 0;
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "stages");
	}
	for (size_t i = 0; i < stages->count; i++) {
		stages->list[i] = from[i];
		stages->list[i].messages = messages;
		if (from[i].ops->open == NULL || from[i].ops->open(&stages->list[i], fault))
			continue;
		stages->count = i;
		stage_close(stages);
		return false;
	}
	return true;
}

void
stage_close(struct stage_list *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->close != NULL)
			stages->list[i].ops->close(&stages->list[i]);
	free(stages->list);
	*stages = (struct stage_list){ .list = NULL };
}

size_t
stage_limit(const struct stage_list *stages, const struct iovec *pieces, int count)
{
	size_t limit = SIZE_MAX;
	for (size_t i = 0; i < stages->count; i++) {
		const struct stage *stage = &stages->list[i];
		size_t most = stage->ops->limit != NULL ? stage->ops->limit(stage, pieces, count)
							: SIZE_MAX;
		limit = most < limit ? most : limit;
	}
	return limit;
}

void
stage_passed(
	struct stage_list *stages, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->passed != NULL)
			stages->list[i].ops->passed(&stages->list[i], pieces, count, n, now);
}

int64_t
stage_until(const struct stage_list *stages)
{
	int64_t until = 0;
	for (size_t i = 0; i < stages->count; i++)
		until = stages->list[i].until > until ? stages->list[i].until : until;
	return until;
}

struct stage *
stage_transform(const struct stage_list *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->change != NULL)
			return &stages->list[i];
	return NULL;
}

bool
stage_is_gated(const struct stage_list *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->limit != NULL)
			return true;
	return false;
}

bool
stage_inspects(const struct stage_list *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].inspects)
			return true;
	return false;
}

const char *
stage_why(const struct stage_list *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->why != NULL)
			return stages->list[i].ops->why;
	return NULL;
}

bool
stage_check(struct stage_list *stages, const char *source, bool ended, struct fault *fault)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->check != NULL &&
			!stages->list[i].ops->check(&stages->list[i], source, ended, fault))
			return false;
	return true;
}

bool
stage_keeps_end(const struct stage_list *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].keeps_end)
			return true;
	return false;
}

void
stage_release(struct stage_list *stages)
{
	size_t kept = 0;
	for (size_t i = 0; i < stages->count; i++)
		if (stages->list[i].ops->limit == NULL)
			stages->list[kept++] = stages->list[i];
	stages->count = kept;
}
