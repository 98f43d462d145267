/* When the low-water mark is raised, and when it is found to have been in vain. */

#include "base/clock.h"
#include "check.h"
#include "stream/bulk.h"
#include "sys/sys.h"

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)
#define MICROSECOND (CLOCK_MILLISECOND / 1000)

static int64_t bulk_test_time = 1;
static int bulk_test_mark;

/* The time, and the kernel, are the test's. */
int64_t __wrap_clock_now(void);
bool __wrap_sys_set_low_water(int fd, int bytes);

int64_t
__wrap_clock_now(void)
{
	return bulk_test_time;
}

bool
__wrap_sys_set_low_water(int fd, int bytes)
{
	CHECK(fd == 3);
	bulk_test_mark = bytes;
	return true;
}

/* Brings so much in reads of n bytes, each `wait` after the one before. */
static void
bulk_test_read(struct bulk *bulk, size_t total, size_t n, int64_t wait)
{
	for (size_t done = 0; done < total; done += n) {
		bulk_test_time += wait;
		bulk_note(bulk, n);
	}
}

int
main(void)
{
	/* What a read brought, how long it was waited for, and whether the mark is still raised. */
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
		/* A sender that waits for us to go on. */
		{ 255 * KIB, 1 * CLOCK_MILLISECOND, false },
		{ 200 * KIB, 1 * CLOCK_MILLISECOND, false },
		{ 64 * KIB, 1 * CLOCK_MILLISECOND, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bulk bulk;
		bulk_init(&bulk, 3);
		bulk_test_read(&bulk, 8 * MIB, 256 * KIB, MICROSECOND);
		CHECK(bulk.on && bulk_test_mark > 1);
		bulk_test_time += rows[i].wait;
		bulk_note(&bulk, rows[i].n);
		CHECK(bulk.on == rows[i].on);
		CHECK((bulk_test_mark > 1) == rows[i].on);
		CHECK((bulk.latest != 0) == rows[i].on);
		/* The next time it takes twice as much. */
		bulk_test_read(&bulk, 8 * MIB, 256 * KIB, MICROSECOND);
		CHECK(bulk.on == rows[i].on);
		bulk_test_read(&bulk, 8 * MIB, 256 * KIB, MICROSECOND);
		CHECK(bulk.on);
		bulk_end(&bulk);
		CHECK(bulk_test_mark == 1);
	}
	return check_verdict("bulk");
}
