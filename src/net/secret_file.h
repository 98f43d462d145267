/* Files with passwords, passphrases and keys. */
#ifndef SOCKCAT_NET_SECRET_FILE_H
#define SOCKCAT_NET_SECRET_FILE_H

#include "base/fault.h"

/* The largest text. */
#define SECRET_FILE_MAX ((size_t)64 * 1024)

/*
 * The text of a file, which the caller frees. A regular file that other users can read or write is
 * refused; those of its group can. NULL and a fault: `status`, or STATUS_MEMORY.
 */
char *secret_file_read(const char *path, enum status status, struct fault *fault);

/* Checks a file of which only others read the content, in the same way; one that cannot be looked
 * at passes. */
bool secret_file_check(const char *path, enum status status, struct fault *fault);

/* Cuts the next line off that is neither empty nor begins with '#', and counts those before it,
 * too. *next is the text, then the rest; NULL: nothing is left. NULL: there is no such line. */
char *secret_file_line(char **next, size_t *number);

#endif
