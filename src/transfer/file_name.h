/* Names of files that are sent: one component of a path. */
#ifndef SOCKCAT_TRANSFER_FILE_NAME_H
#define SOCKCAT_TRANSFER_FILE_NAME_H

#include <stddef.h>

/* The longest one. */
#define FILE_NAME_MAX 255

/* Why a name of n bytes is refused, for messages; NULL: it is not. */
const char *file_name_refuse(const char *name, size_t n);

/* The last component of a path; empty if it ends with '/'. */
const char *file_name_of(const char *path);

#endif
