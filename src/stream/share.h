/*
 * Standard input and output, for many clients at a time. What they send is written out in the
 * pieces in which it comes; a piece that does not go out whole is finished before another client's
 * begins. A plain file on standard input is read by each from its beginning; of anything else each
 * gets what is said to all (post.h).
 */
#ifndef SOCKCAT_STREAM_SHARE_H
#define SOCKCAT_STREAM_SHARE_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/post.h"
#include "stream/stdio.h"
#include "stream/stream.h"

struct share {
	struct stream stdio;    /* owned */
	struct post post;       /* what standard input says, unless it is a plain file */
	struct stream speaker;  /* owned: says it */
	struct post_box podium; /* the speaker's */
	bool file;              /* standard input is a plain file */
	int watch; /* owned: to wait on for an output whose reader goes away; -1: none */
	struct post_box *writer; /* whose piece has begun to go out, or waits to; NULL: nobody's */
	size_t left;             /* of that piece, in bytes */
};

/* `input`: standard input is read at all, and said as messages of at most so many bytes; 0:
 * as bytes. False and a fault. To be closed in any case. */
bool share_open(struct share *share, const struct stdio_config *config, bool input, size_t most,
	struct fault *fault);

/* Closes standard output, and finds what only that tells. False and a fault. */
bool share_finish(struct share *share, struct fault *fault);

/* Also good on a zeroed struct. */
void share_close(struct share *share);

/* The local side of one client. False and a fault if there is no memory. */
bool share_init(
	struct stream *stream, struct share *share, struct post_box *box, struct fault *fault);

#endif
