/*
 * Extracts a tar archive (pax, ustar, GNU; not compressed) from standard input into a directory,
 * confined to it by the kernel. Entries that could reach out of it, and files that are neither
 * regular files nor directories nor links, are refused, and end the extraction.
 */
#ifndef SOCKCAT_ARCHIVE_EXTRACT_H
#define SOCKCAT_ARCHIVE_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

struct extract_config {
	const char *directory;
	uint64_t max_size; /* the most bytes of all files, as they are read; 0: no limit */
	uint64_t max_entries;
	unsigned preserve; /* see preserve.h */
	bool replace;      /* existing files */
	bool fresh;        /* see struct tree; it is emptied before, and after a failure */
};

/* Extracts all entries, and returns when they are on the disk. False and a fault: status 18, 23,
 * 26, 27, 63 (a limit of the config) or 102 (refused, or malformed). What was complete remains, but
 * not if the directory is `fresh`. */
bool extract_run(const struct extract_config *config, struct fault *fault);

#endif
