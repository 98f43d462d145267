/* Attributes of directories, which are set when all that is in them has been made. */
#ifndef SOCKCAT_ARCHIVE_LATE_H
#define SOCKCAT_ARCHIVE_LATE_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/preserve.h"
#include "base/fault.h"

/* Initially zeroed. */
struct late {
	unsigned char *bytes; /* owned: a sequence of paths, each with its attributes behind it */
	size_t size, capacity;
};

/* Adds a directory. False and a fault if memory runs out. */
bool late_add(struct late *late, const char *path, const struct preserve_values *values,
	struct fault *fault);

/* Removes the directory that was added last, and returns its path, which is valid until the next
 * call. NULL: there is none. */
const char *late_take(struct late *late, struct preserve_values *values);

void late_close(struct late *late);

#endif
