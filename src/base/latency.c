/* Statistics of tries; see latency.h. */
#include "base/latency.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Classes: a time below 2 * LATENCY_STEPS ns is its own class; each power of two above has
 * LATENCY_STEPS classes of equal width.
 */
#define LATENCY_BITS 9
#define LATENCY_STEPS (1U << LATENCY_BITS)
#define LATENCY_OCTAVES (42 - LATENCY_BITS)
#define LATENCY_CLASSES ((size_t)(LATENCY_OCTAVES + 1) * LATENCY_STEPS)

#define LATENCY_BAR 40
#define LATENCY_MILLISECOND 1e6

bool
latency_open(struct latency *latency)
{
	*latency = (struct latency){ .classes = calloc(LATENCY_CLASSES, sizeof(uint64_t)) };
	return latency->classes != NULL;
}

void
latency_close(struct latency *latency)
{
	free(latency->classes);
	latency->classes = NULL;
}

/* The class of a time, and the reverse: its first time. */
static size_t
latency_class(int64_t time)
{
	size_t octave = 0;
	while (time >> octave >= 2 * LATENCY_STEPS)
		octave++;
	return octave * LATENCY_STEPS + (size_t)(time >> octave);
}

static int64_t
latency_first(size_t class)
{
	size_t octave = class < 2 * LATENCY_STEPS ? 0 : class / LATENCY_STEPS - 1;
	return (int64_t)(class - octave * LATENCY_STEPS) << octave;
}

static uint64_t
latency_count(const struct latency *latency)
{
	return latency->tries - latency->failed;
}

void
latency_add(struct latency *latency, int64_t time)
{
	time = time < 0 ? 0 : time > LATENCY_MAX ? LATENCY_MAX : time;
	bool first = latency_count(latency) == 0;
	latency->tries++;
	latency->classes[latency_class(time)]++;
	if (first || time < latency->min)
		latency->min = time;
	if (first || time > latency->max)
		latency->max = time;
	/* Welford's method: a sum of squares would lose the digits that matter. */
	double distance = (double)time - latency->mean;
	latency->mean += distance / (double)latency_count(latency);
	latency->squares += distance * ((double)time - latency->mean);
}

void
latency_fail(struct latency *latency)
{
	latency->tries++;
	latency->failed++;
}

uint64_t
latency_loss(const struct latency *latency)
{
	return latency->tries == 0 ? 0 : latency->failed * LATENCY_ALL / latency->tries;
}

int64_t
latency_mean(const struct latency *latency)
{
	return (int64_t)(latency->mean + 0.5);
}

/* Newton's method from above; saves the mathematical library. */
static double
latency_root(double square)
{
	double root = square > 1 ? square : 1, next = root;
	do {
		root = next;
		next = (root + square / root) / 2;
	} while (next < root);
	return root;
}

int64_t
latency_jitter(const struct latency *latency)
{
	uint64_t count = latency_count(latency);
	return count == 0 ? 0 : (int64_t)(latency_root(latency->squares / (double)count) + 0.5);
}

int64_t
latency_percentile(const struct latency *latency, unsigned percent)
{
	uint64_t count = latency_count(latency), seen = 0;
	/* The nearest rank: a share of the count, rounded up. */
	uint64_t rank = count / 100 * percent + (count % 100 * percent + 99) / 100;
	size_t class = latency_class(latency->min);
	if (count == 0)
		return 0;
	for (;; class ++) {
		seen += latency->classes[class];
		if (seen >= rank)
			break;
	}
	int64_t middle = (latency_first(class) + latency_first(class + 1) - 1) / 2;
	return middle < latency->min ? latency->min : middle > latency->max ? latency->max : middle;
}

/* --- the histogram --- */

struct latency_bars {
	size_t count;
	int64_t ends[LATENCY_ROWS]; /* the longest time of each */
	uint64_t counts[LATENCY_ROWS], largest;
};

static void
latency_divide(const struct latency *latency, struct latency_bars *bars)
{
	int64_t most = latency_percentile(latency, 95), span = most - latency->min;
	const int64_t rows = LATENCY_ROWS - 1;
	*bars = (struct latency_bars){ .count = 0 };
	if (latency_count(latency) == 0)
		return;
	for (int64_t i = span >= rows ? 1 : rows; i <= rows; i++)
		bars->ends[bars->count++] = latency->min + span / rows * i + span % rows * i / rows;
	if (latency_class(latency->max) > latency_class(most))
		bars->ends[bars->count++] = latency->max;
	size_t row = 0, last = latency_class(latency->max);
	for (size_t class = latency_class(latency->min); class <= last; class ++) {
		while (row + 1 < bars->count && class > latency_class(bars->ends[row]))
			row++;
		bars->counts[row] += latency->classes[class];
		if (bars->counts[row] > bars->largest)
			bars->largest = bars->counts[row];
	}
}

bool
latency_row(const struct latency *latency, size_t row, char line[static LATENCY_LINE])
{
	struct latency_bars bars;
	char bar[LATENCY_BAR + 1];
	latency_divide(latency, &bars);
	if (row >= bars.count)
		return false;
	double share = (double)bars.counts[row] / (double)bars.largest;
	size_t length = (size_t)(share * LATENCY_BAR + 0.5);
	/* A rare time is visible, too. */
	if (length == 0 && bars.counts[row] > 0)
		length = 1;
	memset(bar, '#', length);
	bar[length] = '\0';
	(void)snprintf(line, LATENCY_LINE, "%12.3f ms |%s %" PRIu64,
		(double)bars.ends[row] / LATENCY_MILLISECOND, bar, bars.counts[row]);
	return true;
}
