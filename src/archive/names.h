/* The names in a directory, in a fixed order. */
#ifndef SOCKCAT_ARCHIVE_NAMES_H
#define SOCKCAT_ARCHIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names {
	char **list;
	size_t count, capacity;
};

/* Reads all names but "." and "..", sorted by their bytes. False and errno on failure. */
bool names_read(struct names *names, int directory);
void names_close(struct names *names);

#endif
