/*
 * The names of files that are made for many clients: %n in a pattern is the number of the client,
 * %a its address, %% a percent sign.
 */
#ifndef SOCKCAT_FILTER_FILE_PATTERN_H
#define SOCKCAT_FILTER_FILE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the pattern is valid. *numbered, *addressed: whether it has %n, %a. */
bool file_pattern_check(const char *pattern, bool *numbered, bool *addressed);

/*
 * The name for a client. The address becomes part of one component: all but letters, digits and
 * "-_:@[]" and a dot that is not the first character is replaced by '_'. The pattern has to be
 * valid. The caller frees it; NULL if there is no memory.
 */
char *file_pattern_expand(const char *pattern, uint64_t number, const char *address);

#endif
