/* Parsing the parameters of a format: ":16,pad=0x20", ",inclusive,add=-4". */
#ifndef SOCKCAT_FRAME_PARAMETER_H
#define SOCKCAT_FRAME_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

/* Advances *text past the word if it begins with it. A word that does not end with ':' or '=' has
 * to be followed by ',' or the end. */
bool parameter_take(const char **text, const char *word);

/* Parses a number up to max, decimal or hexadecimal after "0x", and advances *text past it. False,
 * with another *why, if it has leading zeros: elsewhere they mean octal. */
bool parameter_number(const char **text, uint64_t max, uint64_t *value, const char **why);

#endif
