/* Attributes of directories; see late.h. */
#include "archive/late.h"

#include <stdlib.h>
#include <string.h>

/* Behind each path, unaligned, so that the sequence can be read from its end. */
struct late_record {
	struct preserve_values values;
	size_t length; /* of the path, with its NUL */
};

bool
late_add(struct late *late, const char *path, const struct preserve_values *values,
	struct fault *fault)
{
	struct late_record record = { .values = *values, .length = strlen(path) + 1 };
	size_t more = sizeof record + record.length;
	if (late->capacity - late->size < more) {
		size_t capacity = late->capacity + late->capacity / 2 + more + 1024;
		unsigned char *bigger = realloc(late->bytes, capacity);
		if (bigger == NULL)
			return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
		late->bytes = bigger;
		late->capacity = capacity;
	}
	memcpy(late->bytes + late->size, path, record.length);
	memcpy(late->bytes + late->size + record.length, &record, sizeof record);
	late->size += more;
	return true;
}

const char *
late_take(struct late *late, struct preserve_values *values)
{
	struct late_record record;
	if (late->size == 0)
		return NULL;
	memcpy(&record, late->bytes + late->size - sizeof record, sizeof record);
	late->size -= sizeof record + record.length;
	*values = record.values;
	return (const char *)late->bytes + late->size;
}

void
late_close(struct late *late)
{
	free(late->bytes);
	*late = (struct late){ .bytes = NULL };
}
