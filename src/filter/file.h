/*
 * A file that takes what a session receives, on top of the stream that is read: standard input. It
 * gets its name when the session has ended well (stream/partial.h).
 */
#ifndef SOCKCAT_FILTER_FILE_H
#define SOCKCAT_FILTER_FILE_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/stream.h"

/* Puts a file on top of a stream; takes the path, NULL for lack of memory. `replace`: replaces a
 * file of this name. False and a fault if there is no memory; then the caller closes *top. */
bool file_add(struct stream **top, char *path, bool replace, struct fault *fault);

#endif
