/*
 * Recognises the end of a tar archive: at least two blocks of zeros (pax, "ustar Interchange
 * Format") after the last entry, and nothing but zeros after them. An archive that was cut between
 * two entries differs from a complete one in nothing else. Pure functions.
 */
#ifndef SOCKCAT_ARCHIVE_END_BLOCKS_H
#define SOCKCAT_ARCHIVE_END_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* The most zeros that are accepted after the last entry: the largest record of tar. */
#define END_BLOCKS_MAX (UINT64_C(1) << 20)

/* Initially zeroed. */
struct end_blocks {
	uint64_t total;   /* bytes of the archive */
	uint64_t nonzero; /* the offset after the last byte that is not zero */
};

/* The next n bytes of the archive. */
void end_blocks_feed(struct end_blocks *blocks, const unsigned char *bytes, size_t n);

enum end_blocks_verdict {
	END_BLOCKS_GOOD,
	END_BLOCKS_CUT,  /* the end is missing */
	END_BLOCKS_AFTER /* there is data after the end, or too many zeros */
};

/* `last`: the offset after the last entry, with its padding. The archive has ended, or is longer
 * than END_BLOCKS_MAX after the last entry. */
enum end_blocks_verdict end_blocks_check(const struct end_blocks *blocks, uint64_t last);

#endif
