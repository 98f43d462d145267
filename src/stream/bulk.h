/*
 * Much in a row is read in large pieces: while a connection brings megabytes, the kernel is told to
 * wake the reader only for half a megabyte (the socket's low-water mark), instead of for every
 * packet. That is worth twice the rate.
 *
 * What comes is never held back for long: a read that was due a moment ago takes what is there, and
 * ends it. So the end of a burst of megabytes is late by a millisecond, and nothing else is.
 */
#ifndef SOCKCAT_STREAM_BULK_H
#define SOCKCAT_STREAM_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bulk {
	int fd;          /* the socket that has such a mark; -1: none */
	bool on;         /* the mark is raised */
	uint64_t streak; /* bytes in a row so far, without a small read among them */
	uint64_t needed; /* so many raise it; twice as many after each time it was in vain */
	int64_t latest;  /* when to read whatever is there, or nothing: while it is on, or as the
			    stream's kind says; 0: when poll says */
};

/* For a socket; -1: nothing is ever raised. */
void bulk_init(struct bulk *bulk, int fd);

/* A read has brought n bytes; 0: nothing was there. */
void bulk_note(struct bulk *bulk, size_t n);

/* Lowers the mark, if it is raised. */
void bulk_end(struct bulk *bulk);

#endif
