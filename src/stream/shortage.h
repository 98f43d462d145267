/*
 * The system is out of buffers (ENOBUFS, ENOMEM) for a send. That passes, but poll(2) does not tell
 * when: it is tried again after a pause, and given up after ten seconds without any success.
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

bool shortage_is(int error);

/* Puts the stream's next write off. False: it has lasted too long. */
bool shortage_waits(struct shortage *shortage, struct stream *stream);

void shortage_ends(struct shortage *shortage);

#endif
