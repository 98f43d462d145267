/*
 * Output to a terminal with control characters escaped (base/text.h). Escaped text that the
 * terminal does not take at once is kept, so that the caller's bytes count as written.
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
	struct text *text; /* the state of the text; not owned; NULL: `own` */
	struct text own;
	unsigned char shown[TERMINAL_SIZE];
	size_t start, end; /* the part of `shown` that is to be written */
};

/* Like writev(2): the number of bytes taken, or -1 with errno. *kept: some of them are still to be
 * written by another call, which may be without pieces. */
ssize_t terminal_write(
	struct terminal *terminal, int fd, const struct iovec *pieces, int count, bool *kept);

/* Writes the rest of a text that has ended. False with errno (EAGAIN: call again). */
bool terminal_finish(struct terminal *terminal, int fd);

/* Whether this process is a background job of the terminal: it is stopped if it reads (SIGTTIN). */
bool terminal_in_background(int fd);

#endif
