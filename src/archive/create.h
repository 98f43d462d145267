/*
 * Writes files and directories as a pax archive to standard output: in a fixed order, without
 * following symbolic links, holes as holes. An archive without its end blocks is not complete.
 */
#ifndef SOCKCAT_ARCHIVE_CREATE_H
#define SOCKCAT_ARCHIVE_CREATE_H

#include <stdbool.h>

#include "base/fault.h"

struct create_config {
	char *const
		*paths; /* ends with NULL; the names in the archive begin with their last parts */
	unsigned preserve;    /* see preserve.h */
	enum status left_out; /* the status if files are left out */
};

/* Sockets, FIFOs and devices are left out, each with a line; then the archive is complete, and the
 * fault set, with the status of the config. False and a fault otherwise: status 23, 26 or 27. */
bool create_run(const struct create_config *config, struct fault *fault);

#endif
