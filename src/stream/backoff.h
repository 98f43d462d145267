/*
 * Back-off while the kernel has no buffers (ENOBUFS, ENOMEM) for a send or a receive. poll(2) does
 * not report when that is over, so the operation is retried after a pause, and fails after ten
 * seconds without success.
 */
#ifndef SOCKCAT_STREAM_BACKOFF_H
#define SOCKCAT_STREAM_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "stream/stream.h"

#define BACKOFF_PAUSE (10 * CLOCK_MILLISECOND)
#define BACKOFF_LIMIT (10 * CLOCK_SECOND)

struct backoff {
	int64_t ends; /* when to give up; 0: not backing off */
};

/* If the error is a lack of buffers: postpones the stream's next attempt (`again` is the time of
 * the side) and returns true. False for other errors, and after BACKOFF_LIMIT. */
bool backoff_waits(struct backoff *backoff, int error, struct stream *stream, int64_t *again);

/* The operation has succeeded. */
static inline void
backoff_ends(struct backoff *backoff)
{
	backoff->ends = 0;
}

#endif
