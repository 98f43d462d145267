/* Waiting for many, with both back ends: at every turn those are due, and only those, whose
 * descriptor fires, whose deadline has passed, or who were woken. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "flow/waiter.h"

#define WAITER_TEST_COUNT 40

struct waiter_test_one {
	struct waiting waiting; /* first: found by its address */
	int ends[2];
	bool there, wants, full, late, woken;
	size_t entry;
};

static struct waiter_test_one waiter_test_all[WAITER_TEST_COUNT];
static unsigned waiter_test_state = 1;

static unsigned
waiter_test_random(unsigned most)
{
	waiter_test_state = waiter_test_state * 1664525u + 1013904223u;
	return (waiter_test_state >> 8) % most;
}

static void
waiter_test_set(struct waiter *waiter, struct waiter_test_one *one, bool anew)
{
	struct fault fault = FAULT_NONE;
	struct interest *interest = &one->waiting.interest;
	interest_begin(interest);
	one->entry = one->wants ? interest_ask(interest, one->ends[0], POLLIN) : INTEREST_NONE;
	if (one->late)
		interest_until(interest, 1);
	else if (waiter_test_random(2) == 0)
		interest_until(interest, clock_after(clock_now(), CLOCK_SECOND * 3600));
	CHECK(waiter_set(waiter, &one->waiting, anew, &fault));
}

static void
waiter_test_open(struct waiter_test_one *one)
{
	*one = (struct waiter_test_one){ .there = true, .wants = true };
	CHECK(pipe(one->ends) == 0);
}

/* The pipe is closed and another opened: most likely under the same numbers. */
static void
waiter_test_reopen(struct waiter *waiter, struct waiter_test_one *one)
{
	(void)close(one->ends[0]);
	(void)close(one->ends[1]);
	one->full = false;
	CHECK(pipe(one->ends) == 0);
	waiter_test_set(waiter, one, true);
}

static void
waiter_test_change(struct waiter *waiter, struct waiter_test_one *one)
{
	char byte = 'x';
	if (!one->there) {
		waiter_test_open(one);
		waiter_test_set(waiter, one, false);
		return;
	}
	switch (waiter_test_random(7)) {
	case 0:
		waiter_remove(waiter, &one->waiting);
		(void)close(one->ends[0]);
		(void)close(one->ends[1]);
		one->there = false;
		break;
	case 1:
		waiter_test_reopen(waiter, one);
		break;
	case 2:
		one->wants = !one->wants;
		waiter_test_set(waiter, one, false);
		break;
	case 3:
		one->late = true;
		waiter_test_set(waiter, one, false);
		break;
	case 4:
		one->woken = true;
		waiter_wake(waiter, &one->waiting);
		break;
	default:
		if (!one->full)
			CHECK(write(one->ends[1], &byte, 1) == 1);
		one->full = true;
		break;
	}
}

static void
waiter_test_turn(struct waiter *waiter)
{
	struct fault fault = FAULT_NONE;
	int64_t now;
	size_t expected = 0, seen = 0;
	char byte;
	for (size_t i = 0; i < WAITER_TEST_COUNT; i++) {
		struct waiter_test_one *one = &waiter_test_all[i];
		expected += one->there && ((one->full && one->wants) || one->late || one->woken);
	}
	/* Somebody is, so that it never waits. */
	if (expected == 0)
		return;
	CHECK(waiter_wait(waiter, &now, &fault));
	for (struct waiting *next = waiter_next(waiter); next != NULL; next = waiter_next(waiter)) {
		struct waiter_test_one *one = (struct waiter_test_one *)next;
		bool fired = interest_fired(&next->interest, one->entry);
		CHECK(one->there && fired == (one->full && one->wants));
		CHECK(fired || one->late || one->woken);
		if (fired && waiter_test_random(2) == 0) {
			CHECK(read(one->ends[0], &byte, 1) == 1);
			one->full = false;
		}
		one->late = one->woken = false;
		waiter_test_set(waiter, one, false);
		seen++;
	}
	CHECK(seen == expected);
}

static void
waiter_test_files(bool plain)
{
	struct waiter waiter;
	struct waiting waiting = { .fds = NULL };
	struct fault fault = FAULT_NONE;
	int64_t now;
	int fd = open("/proc/self/exe", O_RDONLY);
	waiter_open(&waiter, plain);
	for (int turn = 0; turn < 3; turn++) {
		interest_begin(&waiting.interest);
		size_t entry = interest_ask(&waiting.interest, fd, POLLIN);
		CHECK(waiter_set(&waiter, &waiting, false, &fault));
		CHECK(waiter_wait(&waiter, &now, &fault));
		CHECK(waiter_next(&waiter) == &waiting);
		CHECK(interest_fired(&waiting.interest, entry));
		CHECK(waiter_next(&waiter) == NULL);
	}
	waiter_remove(&waiter, &waiting);
	waiter_close(&waiter);
	(void)close(fd);
}

int
main(void)
{
	for (int plain = 0; plain < 2; plain++) {
		struct waiter waiter;
		waiter_open(&waiter, plain != 0);
		for (unsigned turn = 0; turn < 5000; turn++) {
			unsigned changes = waiter_test_random(6);
			for (unsigned i = 0; i < changes; i++)
				waiter_test_change(&waiter,
					&waiter_test_all[waiter_test_random(WAITER_TEST_COUNT)]);
			waiter_test_turn(&waiter);
		}
		for (size_t i = 0; i < WAITER_TEST_COUNT; i++) {
			struct waiter_test_one *one = &waiter_test_all[i];
			if (!one->there)
				continue;
			waiter_remove(&waiter, &one->waiting);
			(void)close(one->ends[0]);
			(void)close(one->ends[1]);
			one->there = false;
		}
		waiter_close(&waiter);
		waiter_test_files(plain != 0);
	}
	return check_verdict("waiter");
}
