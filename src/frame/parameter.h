/* The parameters behind a format's name: ":16,pad=0x20", ",inclusive,add=-4". */
#ifndef SOCKCAT_FRAME_PARAMETER_H
#define SOCKCAT_FRAME_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

/* If *text begins with this one it is moved behind it. A word ends in front of ',' or the end, a
 * `word` that ends with ':' or '=' where its value begins. */
bool parameter_take(const char **text, const char *word);

/* Moves *text behind a number (decimal, or hexadecimal behind "0x") of at most max. */
bool parameter_number(const char **text, uint64_t max, uint64_t *value);

#endif
