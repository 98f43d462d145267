/*
 * Output to a terminal: control characters from outside are made visible (base/text.h). What the
 * terminal does not take at once is kept here, so that the caller's bytes count as taken.
 */
#ifndef SOCKCAT_STREAM_TERMINAL_H
#define SOCKCAT_STREAM_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/text.h"

#define TERMINAL_SIZE 16384

struct terminal {
	struct text text;
	unsigned char shown[TERMINAL_SIZE];
	size_t start, end; /* what of `shown` is still to be written */
};

/* Like writev: the number of bytes taken, or -1 with errno. *kept tells whether some of what was
 * taken is still to be written; to be called again then, with no pieces if there are none. */
ssize_t terminal_write(
	struct terminal *terminal, int fd, const struct iovec *pieces, int count, bool *kept);

/* The text has ended; writes what was kept. False with errno (EAGAIN: some of it is still here). */
bool terminal_finish(struct terminal *terminal, int fd);

#endif
