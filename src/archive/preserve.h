/* What is kept of a file besides its content (--preserve). */
#ifndef SOCKCAT_ARCHIVE_PRESERVE_H
#define SOCKCAT_ARCHIVE_PRESERVE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/fault.h"

enum preserve {
	PRESERVE_MODE = 1,  /* permissions; never set-user-ID, set-group-ID and sticky */
	PRESERVE_TIME = 2,  /* the time of the last modification */
	PRESERVE_OWNER = 4, /* user and group, by number */
	PRESERVE_XATTR = 8, /* extended attributes of users ("user.") */
	PRESERVE_DEFAULT = PRESERVE_MODE | PRESERVE_TIME
};

/* Parses words separated by commas, or "none", into a sum of the above. Status 3. */
bool preserve_parse(unsigned *preserve, const char *words, struct fault *fault);

/* The attributes of a file or directory. */
struct preserve_values {
	mode_t mode; /* permissions */
	uid_t user;
	gid_t group;
	struct timespec modified;
};

/* The permissions that a file gets; without PRESERVE_MODE they are `mode`. */
mode_t preserve_mode(unsigned preserve, const struct preserve_values *values, mode_t mode);

/* Applies them to an open file, whose permissions may be right already (`has_mode`). False and
 * errno. */
bool preserve_apply(unsigned preserve, int fd, const struct preserve_values *values, mode_t mode,
	bool has_mode);

#endif
