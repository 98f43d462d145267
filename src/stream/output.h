/* Opening files to write to without blocking: capture files and reports. */
#ifndef SOCKCAT_STREAM_OUTPUT_H
#define SOCKCAT_STREAM_OUTPUT_H

#include <stdbool.h>

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

#endif
