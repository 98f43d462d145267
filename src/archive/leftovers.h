/* What is in a directory from an extraction that has failed. */
#ifndef SOCKCAT_ARCHIVE_LEFTOVERS_H
#define SOCKCAT_ARCHIVE_LEFTOVERS_H

#include <stdbool.h>

/* Removes everything in the directory, without following links. False and errno. */
bool leftovers_remove(int directory);

#endif
