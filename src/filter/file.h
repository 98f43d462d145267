/*
 * A file that takes what a session receives, on top of the stream that is read: standard input. It
 * gets its name when the session has ended well (stream/partial.h).
 */
#ifndef SOCKCAT_FILTER_FILE_H
#define SOCKCAT_FILTER_FILE_H

#include <stdbool.h>

#include "base/fault.h"
#include "plugin/digest.h"
#include "stream/stream.h"

struct file_config {
	bool replace;    /* a file of this name */
	bool resume;     /* append to the part of an earlier run */
	uint64_t offset; /* the size of that part when this run began */
	const struct digest_algorithm
		*algorithm;                /* with `resume`; NULL: the contents are not known */
	unsigned char wanted[DIGEST_SIZE]; /* the digest of the whole file */
};

/* Puts a file on top of a stream; takes the path, NULL for lack of memory, and not the
 * configuration, which it uses until its end. False and a fault if there is no memory; then the
 * caller closes *top. */
bool file_add(
	struct stream **top, char *path, const struct file_config *config, struct fault *fault);

#endif
