/*
 * A quota of what others can make happen: so much at once, and from then on so much a second. It
 * is renewed once a second, so that what is left out comes in one piece. Zeroed it is untouched.
 */
#ifndef SOCKCAT_BASE_QUOTA_H
#define SOCKCAT_BASE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_BURST 100
#define QUOTA_RATE 20

struct quota {
	int64_t renewed; /* when it was, in whole seconds of the clock */
	unsigned used;   /* of the burst */
};

/* Takes one of it, at a time that does not go back; false if nothing is left. */
bool quota_take(struct quota *quota, int64_t now);

#endif
