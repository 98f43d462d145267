/*
 * The stream of standard input and output: descriptors of any kind, which other processes may
 * share. Their modes are restored at the end.
 */
#ifndef SOCKCAT_STREAM_STDIO_H
#define SOCKCAT_STREAM_STDIO_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/text.h"
#include "stream/stream.h"

struct stdio_config {
	const char *input, *output; /* names for messages; not owned; NULL: the usual ones */
	bool discard;   /* discard output */
	bool raw;       /* do not escape control characters for a terminal */
	bool unwatched; /* a closed reader of the output is detected by writing only */
};

/* The stream; descriptors 0 and 1 are opened by its `open`. NULL and a fault if there is no memory.
 */
struct stream *stdio_new(const struct stdio_config *config, struct fault *fault);

/* Whether the descriptor is a datagram or seqpacket socket. */
bool stdio_keeps_messages(int fd);

/* Sets the state of the text that is escaped for a terminal; it is used until the next call. NULL:
 * the stream's own. */
void stdio_set_text(struct stream *stream, struct text *text);

/* Writes what was held back of a text that has ended. IO_AGAIN: call again. */
enum io stdio_end_text(struct stream *stream, struct fault *fault);

/*
 * Opens /dev/null as those of the descriptors 0, 1 and 2 that are closed, or open in the wrong
 * direction, so that no socket gets their numbers. Standard input is then empty, and a write to
 * standard output fails with EBADF. To be called before anything else. *input_closed: whether this
 * was done to descriptor 0. Status 23 or 26 if there is no /dev/null.
 */
bool stdio_fill_gaps(bool *input_closed, struct fault *fault);

/*
 * Returns a close-on-exec duplicate of the socket that is standard input under inetd(8), and opens
 * /dev/null as standard input, and as standard output and error if they are the same socket, so
 * that no message is sent over it. -1 with errno.
 */
int stdio_take_input(void);

#endif
