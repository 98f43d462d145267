/*
 * The system is out of buffers (ENOBUFS, ENOMEM) for a send or a receive. That passes, but poll(2)
 * does not tell when: it is tried again after a pause, and given up after ten seconds without any
 * success.
 */
#ifndef SOCKCAT_STREAM_SHORTAGE_H
#define SOCKCAT_STREAM_SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "stream/stream.h"

#define SHORTAGE_PAUSE (10 * CLOCK_MILLISECOND)
#define SHORTAGE_LIMIT (10 * CLOCK_SECOND)

struct shortage {
	int64_t ends; /* 0: there is none */
};

/* If the error is such a shortage: puts the stream's next attempt off (`again` is its ragain or
 * wagain) and returns true. False for other errors, and when it has lasted too long. */
bool shortage_waits(struct shortage *shortage, int error, struct stream *stream, int64_t *again);

/* It worked. */
void shortage_ends(struct shortage *shortage);

#endif
