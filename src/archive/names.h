/* The entries of a directory, in a fixed order. */
#ifndef SOCKCAT_ARCHIVE_NAMES_H
#define SOCKCAT_ARCHIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct names_entry {
	char *name;
	mode_t type; /* as in st_mode; 0: not known */
};

struct names {
	struct names_entry *list;
	size_t count, capacity;
};

/* Reads all but "." and "..", sorted by the bytes of their names. False and errno on failure. */
bool names_read(struct names *names, int directory);
void names_close(struct names *names);

#endif
