/*
 * Data that a stream lends to its reader instead of copying it. A read counts what has arrived,
 * lend shows the pieces of it, and consume gives the oldest of them back.
 *
 * The owner of the data embeds a lender as the first member of its struct.
 */
#ifndef SOCKCAT_STREAM_LENDER_H
#define SOCKCAT_STREAM_LENDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/io.h"

struct lender;

struct lender_ops {
	/* IO_OK: *got more bytes, in at least one more piece, are lent. IO_FAIL: the reader did not
	 * keep up, so that data is missing after the pieces that are lent. */
	enum io (*read)(struct lender *lender, size_t *got);

	/* The oldest pieces, at most `room`; returns their number. */
	int (*lend)(const struct lender *lender, struct iovec *pieces, int room);

	/* Ends the loan of the first bytes, or, if messages > 0, of that many pieces. */
	void (*consume)(struct lender *lender, size_t bytes, size_t messages);
};

struct lender {
	const struct lender_ops *ops;
	size_t count, bytes; /* pieces, and their bytes, that are lent */
	uint64_t *taken;     /* progress of all readers of the same data; not owned */
	uint64_t dropped;    /* messages that were dropped, as there was no room */
};

#endif
