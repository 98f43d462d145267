/* Extended attributes of files, from and to the entries of an archive. */
#ifndef SOCKCAT_ARCHIVE_ATTRIBUTES_H
#define SOCKCAT_ARCHIVE_ATTRIBUTES_H

#include <stdbool.h>

#include "base/fault.h"

struct archive_entry;

/* Sets what PRESERVE_XATTR keeps: attributes "user.". `path` is for messages. Status 23. */
bool attributes_set(unsigned preserve, int fd, struct archive_entry *entry, const char *path,
	struct fault *fault);

/* Adds those of a file to an entry. Status 26. */
bool attributes_get(unsigned preserve, int fd, struct archive_entry *entry, const char *path,
	struct fault *fault);

#endif
