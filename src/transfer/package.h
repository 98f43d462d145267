/* A directory that is sent: the archive that sockcat-archive makes of it. */
#ifndef SOCKCAT_TRANSFER_PACKAGE_H
#define SOCKCAT_TRANSFER_PACKAGE_H

#include "base/fault.h"
#include "base/io.h"
#include "stream/stream.h"
#include "transfer/archiver.h"

struct package {
	struct archiver archiver;
	uint64_t left_out; /* directories with files that were left out */
};

/* Starts the program; *fd, which the caller owns, is what it writes. *ready and the statuses: see
 * archiver_create. */
bool package_open(struct package *package, char *const *options, const char *path, int *fd,
	bool *ready, struct fault *fault);

/*
 * Looks for the next bytes of the archive, which is read from `fd`. IO_OK: *n bytes can be read;
 * IO_AGAIN: nothing yet, `side` says what to wait for; IO_END: it is complete; IO_FAIL.
 */
enum io package_next(
	struct package *package, int fd, struct stream_side *side, size_t *n, struct fault *fault);

/* After the last directory: false and a fault, status 26, if files were left out. */
bool package_check(const struct package *package, struct fault *fault);

/* Ends the program. */
void package_close(struct package *package);

#endif
