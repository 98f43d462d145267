/* A set of files: those that an extraction has made itself. */
#ifndef SOCKCAT_ARCHIVE_INODES_H
#define SOCKCAT_ARCHIVE_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/fault.h"

/* Initially zeroed. */
struct inodes {
	struct inodes_file *table; /* open addressing; the device and number 0 is a free place */
	size_t capacity, count;    /* the capacity is 0 or a power of 2 */
};

/* False and a fault if memory runs out. */
bool inodes_add(struct inodes *inodes, const struct stat *status, struct fault *fault);
bool inodes_have(const struct inodes *inodes, const struct stat *status);
void inodes_close(struct inodes *inodes);

#endif
