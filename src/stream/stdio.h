/*
 * The stream of standard input and output: descriptors of any kind, in any mix, which other
 * processes may share. None of them is left in another mode than it was found in.
 */
#ifndef SOCKCAT_STREAM_STDIO_H
#define SOCKCAT_STREAM_STDIO_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/stream.h"

/* What to do with the two; the stream's `half_close` says whether to close output at its end. */
struct stdio_config {
	bool discard; /* what is written goes nowhere */
	bool raw;     /* a terminal gets control characters as they are */
};

/* Makes the stream; descriptors 0 and 1 are opened by its `open`. False if there is no memory. */
bool stdio_init(struct stream *stream, const struct stdio_config *config, struct fault *fault);

/*
 * To be called before anything else: opens those of the descriptors 0, 1 and 2 that are closed on
 * /dev/null, so that no socket can become one of them. Input then ends at once, but whatever needs
 * output gets the error it would have got. Returns whether descriptor 0 was closed.
 */
bool stdio_fill_gaps(void);

/*
 * Takes away the socket that is standard input, as inetd(8) has it: returns a descriptor of its own
 * for it, from 3 and close-on-exec, and opens /dev/null in its place, also as standard output and
 * error if they are the same socket, so that no message becomes part of its data. -1 with errno.
 */
int stdio_take_input(void);

#endif
