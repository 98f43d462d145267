/* A set of files; see inodes.h. */
#include "archive/inodes.h"

#include <stdint.h>
#include <stdlib.h>

#define INODES_FIRST 1024

struct inodes_file {
	dev_t device;
	ino_t number;
};

/* The place of the file, or the free one for it. */
static struct inodes_file *
inodes_place(const struct inodes *inodes, dev_t device, ino_t number)
{
	uint64_t hash = ((uint64_t)number ^ (uint64_t)device << 40) * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = (size_t)(hash >> 20);; i++) {
		struct inodes_file *file = &inodes->table[i & (inodes->capacity - 1)];
		if ((file->device == 0 && file->number == 0) ||
			(file->device == device && file->number == number))
			return file;
	}
}

static bool
inodes_grow(struct inodes *inodes, struct fault *fault)
{
	struct inodes bigger = { .capacity = inodes->capacity == 0 ? INODES_FIRST
								   : 2 * inodes->capacity,
		.count = inodes->count };
	bigger.table = calloc(bigger.capacity, sizeof *bigger.table);
	if (bigger.table == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	for (size_t i = 0; i < inodes->capacity; i++) {
		const struct inodes_file *file = &inodes->table[i];
		if (file->device != 0 || file->number != 0)
			*inodes_place(&bigger, file->device, file->number) = *file;
	}
	free(inodes->table);
	*inodes = bigger;
	return true;
}

bool
inodes_add(struct inodes *inodes, const struct stat *status, struct fault *fault)
{
	if (inodes->count >= inodes->capacity / 4 * 3 && !inodes_grow(inodes, fault))
		return false;
	struct inodes_file *file = inodes_place(inodes, status->st_dev, status->st_ino);
	inodes->count += file->device == 0 && file->number == 0;
	*file = (struct inodes_file){ status->st_dev, status->st_ino };
	return true;
}

bool
inodes_have(const struct inodes *inodes, const struct stat *status)
{
	if (inodes->count == 0)
		return false;
	const struct inodes_file *file = inodes_place(inodes, status->st_dev, status->st_ino);
	return file->device == status->st_dev && file->number == status->st_ino;
}

void
inodes_close(struct inodes *inodes)
{
	free(inodes->table);
	*inodes = (struct inodes){ .table = NULL };
}
