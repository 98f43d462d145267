/*
 * Statistics of tries that take a time or fail: counts, loss, extremes, mean, jitter, percentiles,
 * and a histogram.
 *
 * The memory does not depend on the number of tries: times are counted in classes. Minimum, maximum
 * and counts are exact; a percentile is the middle of its class, less than 0.1 % off, and exact
 * below 1024 ns.
 */
#ifndef SOCKCAT_BASE_LATENCY_H
#define SOCKCAT_BASE_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer times count as this long. */
#define LATENCY_MAX ((INT64_C(1) << 42) - 1)

/* A percentage in parts per million. */
#define LATENCY_ALL UINT64_C(1000000)

struct latency {
	uint64_t *classes; /* owned: the number of times in each class */
	uint64_t tries, failed;
	int64_t min, max;     /* ns, as are all times; tries == failed: not set */
	double mean, squares; /* squares: the sum of the squared distances from the mean */
};

/* The rows of a histogram, and the size of one as text. */
#define LATENCY_ROWS 8
#define LATENCY_LINE 80

/* False if memory runs out. */
bool latency_open(struct latency *latency);
void latency_close(struct latency *latency);

/* Counts a try that took `time`. */
void latency_add(struct latency *latency, int64_t time);

/* Counts a try that failed. */
void latency_fail(struct latency *latency);

/* The share of failed tries in parts per million, rounded down; 0 if there was no try. */
uint64_t latency_loss(const struct latency *latency);

/* These are 0 if no try succeeded. */
int64_t latency_mean(const struct latency *latency);

/* The standard deviation. */
int64_t latency_jitter(const struct latency *latency);

/* The smallest time that at least `percent` (1 to 100) percent of the times do not exceed. */
int64_t latency_percentile(const struct latency *latency, unsigned percent);

/*
 * Writes a row of the histogram: its longest time, a bar, and the number of times. The last row
 * has the 5 % of times that are longest, the others divide the rest into equal spans. False after
 * the last row; there is none if no try succeeded.
 */
bool latency_row(const struct latency *latency, size_t row, char line[static LATENCY_LINE]);

#endif
