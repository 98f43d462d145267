/*
 * Rates of a growing count of bytes: at the moment, in the mean, and the time until a size is
 * reached, by the rate of the last 30 seconds. The caller passes the time.
 */
#ifndef SOCKCAT_BASE_METER_H
#define SOCKCAT_BASE_METER_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* The window of the estimate, and of the rate at the moment. */
#define METER_WINDOW (30 * CLOCK_SECOND)
#define METER_MOMENT (3 * CLOCK_SECOND)

/* One a second, and the one before the window. */
#define METER_SAMPLES 31

struct meter_sample {
	int64_t at;
	uint64_t bytes;
};

struct meter {
	struct meter_sample samples[METER_SAMPLES]; /* a ring */
	size_t next, count;
	struct meter_sample last; /* the current count */
	int64_t began;
};

/* Begins to count at 0. */
void meter_start(struct meter *meter, int64_t now);

/* Takes the count, which includes all earlier ones. */
void meter_set(struct meter *meter, uint64_t bytes, int64_t now);

/* Bytes a second in the last `span`; since the start, if that is shorter. */
uint64_t meter_rate(const struct meter *meter, int64_t span);

/* Bytes a second since the start. */
uint64_t meter_mean(const struct meter *meter);

/* The time until the count is `size`; 0: it is not known, or has been reached. */
int64_t meter_eta(const struct meter *meter, uint64_t size);

#endif
