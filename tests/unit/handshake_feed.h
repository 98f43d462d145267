/* Feeds a handshake with bytes in pieces, as it wants them. */
#ifndef SOCKCAT_TESTS_HANDSHAKE_FEED_H
#define SOCKCAT_TESTS_HANDSHAKE_FEED_H

#include <stdlib.h>

#include "net/handshake.h"

/* Feeds up to n bytes in pieces of at most `piece`, until there is a result; returns how many were
 * taken. Ends the program if the handshake is outside of its limits. */
static inline size_t
handshake_feed(struct handshake *handshake, const unsigned char *bytes, size_t n, size_t piece,
	enum handshake_result *result)
{
	size_t taken = 0;
	*result = HANDSHAKE_MORE;
	while (*result == HANDSHAKE_MORE && taken < n) {
		size_t part = handshake->wants < piece ? handshake->wants : piece;
		part = part < n - taken ? part : n - taken;
		if (part == 0 || handshake->out_length > sizeof handshake->out ||
			handshake->in_length > sizeof handshake->in)
			abort();
		*result = handshake_take(handshake, bytes + taken, part);
		taken += part;
		/* The rest is what another connection receives. */
		if (*result == HANDSHAKE_AGAIN)
			*result = HANDSHAKE_MORE;
	}
	return taken;
}

#endif
