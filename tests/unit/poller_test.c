/* Waiting for many, with both back ends: at every turn those are due, and only those, whose
 * descriptor fires, whose deadline has passed, or who were woken. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "engine/poller.h"
#include "sys/sys.h"

#define POLLER_TEST_COUNT 40

struct poller_test_one {
	struct poller_entry waiting; /* first: found by its address */
	int ends[2];
	bool there, wants, full, late, woken;
	size_t entry;
};

static struct poller_test_one poller_test_all[POLLER_TEST_COUNT];
static unsigned poller_test_state = 1;

static unsigned
poller_test_random(unsigned most)
{
	poller_test_state = poller_test_state * 1664525u + 1013904223u;
	return (poller_test_state >> 8) % most;
}

static void
poller_test_set(struct poller *poller, struct poller_test_one *one, bool reopened)
{
	struct fault fault = FAULT_NONE;
	struct pollset *pollset = &one->waiting.pollset;
	pollset_begin(pollset);
	one->entry = one->wants ? pollset_ask(pollset, one->ends[0], POLLIN) : POLLSET_NONE;
	if (one->late)
		pollset_until(pollset, 1);
	else if (poller_test_random(2) == 0)
		pollset_until(pollset, clock_after(clock_now(), CLOCK_SECOND * 3600));
	CHECK(poller_set(poller, &one->waiting, reopened, &fault));
}

static void
poller_test_open(struct poller_test_one *one)
{
	*one = (struct poller_test_one){ .there = true, .wants = true };
	CHECK(pipe(one->ends) == 0);
}

/* The pipe is closed and another opened: most likely under the same numbers. */
static void
poller_test_reopen(struct poller *poller, struct poller_test_one *one)
{
	(void)close(one->ends[0]);
	(void)close(one->ends[1]);
	one->full = false;
	CHECK(pipe(one->ends) == 0);
	poller_test_set(poller, one, true);
}

static void
poller_test_change(struct poller *poller, struct poller_test_one *one)
{
	char byte = 'x';
	if (!one->there) {
		poller_test_open(one);
		poller_test_set(poller, one, false);
		return;
	}
	switch (poller_test_random(7)) {
	case 0:
		poller_remove(poller, &one->waiting);
		(void)close(one->ends[0]);
		(void)close(one->ends[1]);
		one->there = false;
		break;
	case 1:
		poller_test_reopen(poller, one);
		break;
	case 2:
		one->wants = !one->wants;
		poller_test_set(poller, one, false);
		break;
	case 3:
		one->late = true;
		poller_test_set(poller, one, false);
		break;
	case 4:
		one->woken = true;
		poller_wake(poller, &one->waiting);
		break;
	default:
		if (!one->full)
			CHECK(write(one->ends[1], &byte, 1) == 1);
		one->full = true;
		break;
	}
}

static void
poller_test_turn(struct poller *poller)
{
	struct fault fault = FAULT_NONE;
	int64_t now;
	size_t expected = 0, seen = 0;
	char byte;
	for (size_t i = 0; i < POLLER_TEST_COUNT; i++) {
		struct poller_test_one *one = &poller_test_all[i];
		expected += one->there && ((one->full && one->wants) || one->late || one->woken);
	}
	/* A descriptor is always ready, so that it never waits. */
	if (expected == 0)
		return;
	CHECK(poller_wait(poller, &now, &fault));
	for (struct poller_entry *next = poller_next(poller); next != NULL;
		next = poller_next(poller)) {
		struct poller_test_one *one = (struct poller_test_one *)next;
		bool fired = pollset_fired(&next->pollset, one->entry);
		CHECK(one->there && fired == (one->full && one->wants));
		CHECK(fired || one->late || one->woken);
		if (fired && poller_test_random(2) == 0) {
			CHECK(read(one->ends[0], &byte, 1) == 1);
			one->full = false;
		}
		one->late = one->woken = false;
		poller_test_set(poller, one, false);
		seen++;
	}
	CHECK(seen == expected);
}

static void
poller_test_files(bool plain)
{
	struct poller poller;
	struct poller_entry waiting = { .fds = NULL };
	struct fault fault = FAULT_NONE;
	int64_t now;
	int fd = open("/proc/self/exe", O_RDONLY);
	poller_open(&poller, plain);
	for (int turn = 0; turn < 3; turn++) {
		pollset_begin(&waiting.pollset);
		size_t entry = pollset_ask(&waiting.pollset, fd, POLLIN);
		CHECK(poller_set(&poller, &waiting, false, &fault));
		CHECK(poller_wait(&poller, &now, &fault));
		CHECK(poller_next(&poller) == &waiting);
		CHECK(pollset_fired(&waiting.pollset, entry));
		CHECK(poller_next(&poller) == NULL);
	}
	poller_remove(&poller, &waiting);
	poller_close(&poller);
	(void)close(fd);
}

/* A descriptor that two want at a wait is a fault; one that changes hands before it is none. */
static void
poller_test_owners(bool plain)
{
	struct poller poller;
	struct poller_entry one = { .fds = NULL }, other = { .fds = NULL };
	struct fault fault = FAULT_NONE;
	int64_t now;
	int ends[2];
	CHECK(pipe(ends) == 0);
	poller_open(&poller, plain);
	for (int turn = 0; turn < 3; turn++) {
		pollset_begin(&one.pollset);
		pollset_begin(&other.pollset);
		(void)pollset_ask(&one.pollset, ends[1], POLLOUT);
		CHECK(poller_set(&poller, &one, false, &fault));
		(void)pollset_ask(&other.pollset, ends[1], POLLOUT);
		CHECK(poller_set(&poller, &other, false, &fault));
		/* The first one has closed it, and is set only now. */
		pollset_begin(&one.pollset);
		CHECK(poller_set(&poller, &one, false, &fault));
		CHECK(poller_wait(&poller, &now, &fault));
		CHECK(poller_next(&poller) == &other && poller_next(&poller) == NULL);
		CHECK(poller_set(&poller, &other, false, &fault));
	}
	/* It gets the number back, and the other one ends. */
	(void)pollset_ask(&one.pollset, ends[1], POLLOUT);
	CHECK(poller_set(&poller, &one, false, &fault));
	poller_remove(&poller, &other);
	CHECK(poller_wait(&poller, &now, &fault));
	CHECK(poller_next(&poller) == &one);
	CHECK(poller_set(&poller, &one, false, &fault));
	(void)pollset_ask(&other.pollset, ends[1], POLLOUT);
	CHECK(poller_set(&poller, &other, false, &fault));
	CHECK(!poller_wait(&poller, &now, &fault) && fault.status == STATUS_INTERNAL);
	fault_clear(&fault);
	poller_remove(&poller, &other);
	poller_remove(&poller, &one);
	CHECK(poller.contested == 0);
	poller_close(&poller);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* The change-over from poll(2) keeps all descriptors, also a file, which epoll does not take. */
static void
poller_test_change_over(void)
{
	struct poller poller;
	struct poller_entry entries[POLLER_FEW + 1] = { { .fds = NULL } };
	struct fault fault = FAULT_NONE;
	int ends[POLLER_FEW + 1][2], watcher = sys_watcher();
	bool epoll = watcher != -1;
	int64_t now;
	poller_open(&poller, false);
	for (size_t i = 0; i <= POLLER_FEW; i++) {
		if (i == 0)
			ends[0][0] = open("/proc/self/exe", O_RDONLY);
		CHECK(i == 0 || pipe(ends[i]) == 0);
		for (int turn = 0; turn < 2; turn++) {
			pollset_begin(&entries[i].pollset);
			(void)pollset_ask(&entries[i].pollset, ends[i][0],
				turn == 0 ? POLLIN | POLLPRI : POLLIN);
			CHECK(poller_set(&poller, &entries[i], false, &fault));
			CHECK(poller.watched == i + 1);
		}
		/* Up to POLLER_FEW descriptors it is poll(2). */
		CHECK(poller_wait(&poller, &now, &fault));
		CHECK((poller.watcher != -1) == (epoll && i == POLLER_FEW));
		CHECK(poller_next(&poller) == &entries[0] && poller_next(&poller) == NULL);
		CHECK(pollset_fired(&entries[0].pollset, 0));
		CHECK(poller_set(&poller, &entries[0], false, &fault));
	}
	for (size_t i = 1; i <= POLLER_FEW; i++) {
		CHECK(write(ends[i][1], "x", 1) == 1 && poller_wait(&poller, &now, &fault));
		size_t seen = 0;
		for (struct poller_entry *next; (next = poller_next(&poller)) != NULL; seen++) {
			CHECK(next == &entries[0] || next == &entries[i]);
			CHECK(pollset_fired(&next->pollset, 0));
			if (next == &entries[0])
				CHECK(poller_set(&poller, next, false, &fault));
		}
		CHECK(seen == 2);
		poller_remove(&poller, &entries[i]);
		CHECK(poller.watched == POLLER_FEW + 1 - i);
		(void)close(ends[i][0]);
		(void)close(ends[i][1]);
	}
	poller_remove(&poller, &entries[0]);
	poller_close(&poller);
	(void)close(ends[0][0]);
	(void)sys_close(&watcher);
}

int
main(void)
{
	for (int plain = 0; plain < 2; plain++) {
		struct poller poller;
		poller_open(&poller, plain != 0);
		for (unsigned turn = 0; turn < 5000; turn++) {
			unsigned changes = poller_test_random(6);
			for (unsigned i = 0; i < changes; i++)
				poller_test_change(&poller,
					&poller_test_all[poller_test_random(POLLER_TEST_COUNT)]);
			poller_test_turn(&poller);
		}
		for (size_t i = 0; i < POLLER_TEST_COUNT; i++) {
			struct poller_test_one *one = &poller_test_all[i];
			if (!one->there)
				continue;
			poller_remove(&poller, &one->waiting);
			(void)close(one->ends[0]);
			(void)close(one->ends[1]);
			one->there = false;
		}
		poller_close(&poller);
		poller_test_files(plain != 0);
		poller_test_owners(plain != 0);
	}
	poller_test_change_over();
	return check_verdict("poller");
}
