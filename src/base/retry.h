/*
 * Repeating something that has failed: after a fixed delay, or after one that doubles from 250 ms
 * to 5 s. Such a delay is shortened at random by up to a half, so that the clients of a server that
 * was restarted do not return all at once. Pure.
 */
#ifndef SOCKCAT_BASE_RETRY_H
#define SOCKCAT_BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: never. */
struct retry_config {
	uint64_t most; /* repetitions; UINT64_MAX: no limit */
	int64_t span;  /* the last repetition starts this long after the first try at the latest */
	int64_t delay; /* 0: a growing one */
};

struct retry {
	uint64_t done; /* repetitions */
	int64_t since; /* the start of the first try */
};

/* Whether to repeat; if so, counts it and sets the delay before it. */
bool retry_again(struct retry *retry, const struct retry_config *config, int64_t now,
	uint64_t random, int64_t *delay);

#endif
