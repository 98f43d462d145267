/* When the low-water mark is raised, and when that turns out to be useless. */

#include "base/clock.h"
#include "check.h"
#include "stream/lowat.h"
#include "sys/sys.h"

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)
#define MICROSECOND (CLOCK_MILLISECOND / 1000)

static int64_t lowat_test_time = 1;
static int lowat_test_mark;

/* The clock and the socket option of the test. */
int64_t __wrap_clock_now(void);
bool __wrap_sys_set_low_water(int fd, int bytes);

int64_t
__wrap_clock_now(void)
{
	return lowat_test_time;
}

bool
__wrap_sys_set_low_water(int fd, int bytes)
{
	CHECK(fd == 3);
	lowat_test_mark = bytes;
	return true;
}

/* Reads `total` bytes, n at a time, each `wait` after the previous one. */
static void
lowat_test_read(struct lowat *lowat, size_t total, size_t n, int64_t wait)
{
	for (size_t done = 0; done < total; done += n) {
		lowat_test_time += wait;
		lowat_note(lowat, n);
	}
}

int
main(void)
{
	/* The size of a read, how long it was waited for, and whether the mark is still raised. */
	static const struct {
		size_t n;
		int64_t wait;
		bool on;
	} rows[] = {
		{ 1024 * KIB, 10 * MICROSECOND, true },
		{ 256 * KIB, 10 * MICROSECOND, true },
		{ 200 * KIB, 10 * MICROSECOND, true },
		{ 8 * KIB, 10 * MICROSECOND, false },
		{ 0, 10 * MICROSECOND, false },
		/* The scheduler was late, not the sender. */
		{ 256 * KIB, 2 * CLOCK_MILLISECOND, true },
		/* A sender that waits for an answer. */
		{ 255 * KIB, 1 * CLOCK_MILLISECOND, false },
		{ 200 * KIB, 1 * CLOCK_MILLISECOND, false },
		{ 64 * KIB, 1 * CLOCK_MILLISECOND, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lowat lowat;
		lowat_init(&lowat, 3);
		lowat_test_read(&lowat, 8 * MIB, 256 * KIB, MICROSECOND);
		CHECK(lowat.on && lowat_test_mark > 1);
		lowat_test_time += rows[i].wait;
		lowat_note(&lowat, rows[i].n);
		CHECK(lowat.on == rows[i].on);
		CHECK((lowat_test_mark > 1) == rows[i].on);
		CHECK((lowat.latest != 0) == rows[i].on);
		/* The next attempt needs twice as much data. */
		lowat_test_read(&lowat, 8 * MIB, 256 * KIB, MICROSECOND);
		CHECK(lowat.on == rows[i].on);
		lowat_test_read(&lowat, 8 * MIB, 256 * KIB, MICROSECOND);
		CHECK(lowat.on);
		lowat_end(&lowat);
		CHECK(lowat_test_mark == 1);
	}
	return check_verdict("lowat");
}
