/* The statistics of tries. */
#include "base/latency.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MILLISECOND INT64_C(1000000)

/* Without an answer there is no time, but there are counts. */
static void
latency_test_none(uint64_t tries)
{
	struct latency latency;
	char line[LATENCY_LINE];
	CHECK(latency_open(&latency));
	for (uint64_t i = 0; i < tries; i++)
		latency_fail(&latency);
	CHECK(latency.tries == tries && latency.failed == tries);
	CHECK(latency_loss(&latency) == (tries > 0 ? LATENCY_ALL : 0));
	CHECK(latency_mean(&latency) == 0);
	CHECK(latency_jitter(&latency) == 0);
	CHECK(latency_percentile(&latency, 95) == 0);
	CHECK(!latency_row(&latency, 0, line));
	latency_close(&latency);
}

static void
latency_test_few(void)
{
	static const int64_t times[] = { 5 * MILLISECOND, 1 * MILLISECOND, 3 * MILLISECOND,
		2 * MILLISECOND, 4 * MILLISECOND };
	struct latency latency;
	CHECK(latency_open(&latency));
	latency_add(&latency, 123456789);
	CHECK(latency.min == 123456789 && latency.max == 123456789);
	CHECK(latency_percentile(&latency, 50) == 123456789);
	CHECK(latency_mean(&latency) == 123456789 && latency_jitter(&latency) == 0);
	latency_close(&latency);

	CHECK(latency_open(&latency));
	for (size_t i = 0; i < 5; i++)
		latency_add(&latency, times[i]);
	latency_fail(&latency);
	CHECK(latency.tries == 6 && latency.failed == 1);
	CHECK(latency_loss(&latency) == 166666);
	CHECK(latency.min == MILLISECOND && latency.max == 5 * MILLISECOND);
	CHECK(latency_mean(&latency) == 3 * MILLISECOND);
	/* The square root of 2. */
	CHECK(latency_jitter(&latency) == 1414214);
	CHECK(latency_percentile(&latency, 1) == MILLISECOND);
	CHECK(llabs(latency_percentile(&latency, 50) - 3 * MILLISECOND) < 3000);
	CHECK(llabs(latency_percentile(&latency, 60) - 3 * MILLISECOND) < 3000);
	CHECK(llabs(latency_percentile(&latency, 61) - 4 * MILLISECOND) < 4000);
	CHECK(llabs(latency_percentile(&latency, 95) - 5 * MILLISECOND) < 5000);
	CHECK(latency_percentile(&latency, 100) <= 5 * MILLISECOND);
	latency_close(&latency);
}

static int
latency_test_compare(const void *one, const void *other)
{
	int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
	return (a > b) - (a < b);
}

/* Against sorted times of every size. */
static void
latency_test_random(unsigned seed)
{
	enum { COUNT = 1000 };
	int64_t times[COUNT];
	struct latency latency;
	CHECK(latency_open(&latency));
	for (size_t i = 0; i < COUNT; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned bits = seed >> 16 & 31;
		seed = seed * 1103515245 + 12345;
		times[i] = (int64_t)(seed >> 1) >> bits << 10 >> (bits & 7);
		latency_add(&latency, times[i]);
	}
	qsort(times, COUNT, sizeof *times, latency_test_compare);
	CHECK(latency.min == times[0] && latency.max == times[COUNT - 1]);
	for (unsigned percent = 1; percent <= 100; percent++) {
		int64_t exact = times[COUNT / 100 * percent - 1];
		int64_t found = latency_percentile(&latency, percent);
		CHECK(llabs(found - exact) <= (exact < 1024 ? 0 : exact / 1000));
	}
	latency_close(&latency);
}

/* Times that no clock should give. */
static void
latency_test_extreme(void)
{
	struct latency latency;
	CHECK(latency_open(&latency));
	latency_add(&latency, -1);
	latency_add(&latency, INT64_MAX);
	CHECK(latency.min == 0 && latency.max == LATENCY_MAX);
	CHECK(latency_percentile(&latency, 50) == 0);
	CHECK(LATENCY_MAX - latency_percentile(&latency, 51) <= LATENCY_MAX / 1000);
	latency_close(&latency);
}

/* No digit of the distances is lost among large times. */
static void
latency_test_long(void)
{
	struct latency latency;
	CHECK(latency_open(&latency));
	for (int i = 0; i < 100000; i++)
		latency_add(&latency, 1000 * 1000 * MILLISECOND + (i % 2 == 0 ? 10 : -10));
	CHECK(latency_mean(&latency) == 1000 * 1000 * MILLISECOND);
	CHECK(latency_jitter(&latency) == 10);
	latency_close(&latency);
}

/* The number after the bar, and the length of the bar. */
static unsigned long
latency_test_count(const char *line, size_t *length)
{
	const char *bar = strchr(line, '|') + 1;
	*length = strspn(bar, "#");
	return strtoul(bar + *length, NULL, 10);
}

/* Adds `count` times, `step` apart, and returns how many rows there are. */
static size_t
latency_test_rows(int64_t first, int64_t step, int count, char lines[][LATENCY_LINE])
{
	struct latency latency;
	size_t rows = 0, length, longest = 0;
	unsigned long all = 0;
	CHECK(latency_open(&latency));
	for (int i = 0; i < count; i++)
		latency_add(&latency, first + i * step);
	for (; rows <= LATENCY_ROWS && latency_row(&latency, rows, lines[rows]); rows++) {
		all += latency_test_count(lines[rows], &length);
		longest = length > longest ? length : longest;
	}
	CHECK(all == (unsigned long)count);
	CHECK(longest == 40);
	latency_close(&latency);
	return rows;
}

static void
latency_test_histogram(void)
{
	char lines[LATENCY_ROWS + 1][LATENCY_LINE];
	CHECK(latency_test_rows(MILLISECOND, 0, 3, lines) == 1);
	CHECK(strcmp(lines[0], "       1.000 ms |######################################## 3") == 0);
	CHECK(latency_test_rows(MILLISECOND, 1, 3, lines) == 1);
	CHECK(latency_test_rows(5, 1, 100, lines) == LATENCY_ROWS);
	CHECK(latency_test_rows(MILLISECOND, MILLISECOND, 2, lines) == LATENCY_ROWS - 1);
	CHECK(latency_test_rows(MILLISECOND, MILLISECOND, 100, lines) == LATENCY_ROWS);
	CHECK(strstr(lines[LATENCY_ROWS - 1], "  100.000 ms |") != NULL);
	/* One long time is not hidden by the others, and does not hide them. */
	struct latency latency;
	size_t length;
	CHECK(latency_open(&latency));
	for (int i = 0; i < 1000; i++)
		latency_add(&latency, MILLISECOND + i * 1000);
	latency_add(&latency, 1000 * MILLISECOND);
	CHECK(latency_row(&latency, 0, lines[0]) && latency_row(&latency, 7, lines[7]));
	CHECK(latency_test_count(lines[0], &length) > 100 && length > 30);
	CHECK(latency_test_count(lines[7], &length) > 0 && length > 0);
	CHECK(strstr(lines[7], " 1000.000 ms |") != NULL);
	latency_close(&latency);
	/* A rare time is visible. */
	CHECK(latency_open(&latency));
	for (int i = 0; i < 1001; i++)
		latency_add(&latency, (i < 500 ? 200 : i > 500 ? 100 : 150) * MILLISECOND);
	CHECK(latency_row(&latency, 3, lines[3]));
	CHECK(latency_test_count(lines[3], &length) == 1 && length == 1);
	latency_close(&latency);
}

int
main(void)
{
	latency_test_none(0);
	latency_test_none(3);
	latency_test_few();
	for (unsigned seed = 1; seed <= 10; seed++)
		latency_test_random(seed);
	latency_test_extreme();
	latency_test_long();
	latency_test_histogram();
	return check_verdict("latency");
}
