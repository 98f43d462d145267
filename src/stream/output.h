/* Opening files to write to without blocking: capture files and reports. */
#ifndef SOCKCAT_STREAM_OUTPUT_H
#define SOCKCAT_STREAM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"

struct output {
	int fd;      /* owned */
	bool socket; /* it may block, as it shares its file status flags: send with MSG_DONTWAIT */
};

/*
 * Opens a descriptor of the process, which is reopened, to have an O_NONBLOCK of its own, or
 * duplicated. False and a fault (status 23), with `path` for messages.
 */
bool output_adopt(struct output *output, int fd, const char *path, struct fault *fault);

/*
 * Opens a file to append to, or one that is new; a device or a FIFO is used as it is. "-",
 * /dev/stderr, /dev/stdout and /dev/fd/N are descriptors of the process. False and a fault (status
 * 23).
 */
bool output_open(struct output *output, const char *path, bool append, struct fault *fault);

/* Writes what the file takes without blocking: the number of bytes; -1 and errno. */
ssize_t output_write(const struct output *output, const void *bytes, size_t n);

/* Writes all n > 0 bytes at once. False and a fault (status 23), with `path` for messages, also if
 * the file takes only a part of them. */
bool output_put(const struct output *output, const char *path, const void *bytes, size_t n,
	struct fault *fault);

#endif
