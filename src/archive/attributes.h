/* Extended attributes of files, from and to the entries of an archive. */
#ifndef SOCKCAT_ARCHIVE_ATTRIBUTES_H
#define SOCKCAT_ARCHIVE_ATTRIBUTES_H

#include <stdbool.h>

#include "base/fault.h"

struct archive_entry;

/* Sets what PRESERVE_XATTR keeps: attributes "user.". */
bool attributes_set(unsigned preserve, int fd, struct archive_entry *entry, const char *path,
	struct fault *fault);

/* Adds them to an entry. */
bool attributes_get(unsigned preserve, int fd, struct archive_entry *entry, const char *path,
	struct fault *fault);

#endif
