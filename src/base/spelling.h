/* Misspelt words. */
#ifndef SOCKCAT_BASE_SPELLING_H
#define SOCKCAT_BASE_SPELLING_H

#include <stddef.h>

/* The edit distance of a word to a name that may be meant; SIZE_MAX: it is another word. */
size_t spelling_distance(const char *word, size_t length, const char *name);

#endif
