/*
 * Checks of the names in an archive, which its author chooses: what is extracted has to stay below
 * the directory of the extraction. Pure functions.
 */
#ifndef SOCKCAT_ARCHIVE_MEMBER_H
#define SOCKCAT_ARCHIVE_MEMBER_H

/* The longest name of a file, and the longest path. */
#define MEMBER_NAME_MAX 255
#define MEMBER_PATH_MAX 4095

/*
 * Checks the name of an entry. NULL: it is allowed, and *path, which the caller frees, is the name
 * without components "." and superfluous '/': components that are neither empty nor "." nor "..",
 * without control characters, with one '/' between them. An empty path is the directory itself.
 * Otherwise the reason; "out of memory" is MEMBER_NO_MEMORY.
 */
const char *member_check(const char *name, char **path);
extern const char MEMBER_NO_MEMORY[];

/*
 * Checks the target of a symbolic link at a path that member_check returned. NULL: it is allowed;
 * otherwise the reason. ".." is allowed at the start of the target only, and not further up than
 * the directory: after the name of another link, ".." could lead anywhere.
 */
const char *member_check_target(const char *path, const char *target);

#endif
