/* What is sent: a file, or what is read of the archive of a directory. */
#ifndef SOCKCAT_TRANSFER_OUTGOING_H
#define SOCKCAT_TRANSFER_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "transfer/blocks.h"

struct outgoing {
	const char *path;   /* not owned */
	int fd;             /* owned; -1: none */
	struct stat status; /* of the file when it was opened, or of the directory */
	bool digest;        /* compute that of what is read */
	struct blocks blocks;
	struct fault cause; /* reading has failed */
};

/* Opens a regular file, or looks at a directory, for which the caller sets `fd`. False and a fault:
 * status 26. Close it in any case. */
bool outgoing_open(struct outgoing *outgoing, const char *path, bool digest, struct fault *fault);

/* Reads up to `most` bytes. After a failure, which is kept in `cause`, these are zeros. */
size_t outgoing_fill(
	struct outgoing *outgoing, const struct iovec *pieces, int count, uint64_t most);

/* Fails if the file is not as it was when it was opened. */
void outgoing_check(struct outgoing *outgoing);

/* Reads from the beginning again. False: `cause` is set. */
bool outgoing_rewind(struct outgoing *outgoing);

/* Frees all; a zeroed struct with the descriptor -1 is allowed, and results. */
void outgoing_close(struct outgoing *outgoing);

#endif
