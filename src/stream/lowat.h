/*
 * The low-water mark of a socket (SO_RCVLOWAT): during a bulk transfer poll(2) wakes the reader for
 * half a megabyte instead of for every packet, which doubles the rate. A timer reads what is there
 * and lowers the mark, so that the end of a burst is at most a millisecond late.
 */
#ifndef SOCKCAT_STREAM_LOWAT_H
#define SOCKCAT_STREAM_LOWAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lowat {
	int fd;          /* the socket */
	bool on;         /* the mark is raised */
	uint64_t streak; /* bytes in a row, without a small read among them */
	uint64_t needed; /* the streak that raises it; doubled each time that it did not help */
	int64_t latest;  /* while the mark is raised, when to read anyway; 0: not raised */
};

void lowat_init(struct lowat *lowat, int fd);

/* Records a read of n bytes; 0: no data. Returns `latest`. */
int64_t lowat_note(struct lowat *lowat, size_t n);

/* Lowers the mark, if it is raised. */
void lowat_end(struct lowat *lowat);

#endif
