/*
 * What was read of a source and is no message yet: a buffer, in which messages are looked for, by a
 * frame format or, without one, as the source gives them. It grows up to the largest frame of the
 * format, and is read into only when no whole message is left in it.
 *
 * Invariants: start <= end <= size; `given` is the source's, good until the next read.
 */
#ifndef SOCKCAT_FLOW_INTAKE_H
#define SOCKCAT_FLOW_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "frame/frame.h"
#include "stream/stream.h"

struct intake {
	const struct frame *decode; /* not owned; NULL: what a read gives is a message */
	const char *source;         /* whom the last read was from; not owned */
	bool keeps;                 /* the source keeps messages apart */
	bool ended;                 /* nothing more will come */
	unsigned char *bytes;       /* owned; NULL while it rests */
	size_t size, start, end;
	size_t piece;              /* the most that a read brings of a frame of unknown length */
	struct iovec single;       /* the one that a read brought, … */
	const struct iovec *given; /* of a source that keeps messages: those behind start … end */
	size_t given_count;
	bool open;  /* start … end may have a message that has not been looked for */
	bool found; /* `part` is a message that has not been consumed yet */
	struct frame_part part;
	uint64_t offset;   /* of the input: the bytes in front of `start` */
	uint64_t consumed; /* messages */
};

/* Makes it, with so many bytes. False if there is no memory. */
bool intake_open(struct intake *intake, const struct stream *source, const struct frame *decode,
	size_t size);

/* Frees it; also good on a zeroed struct. */
void intake_close(struct intake *intake);

/* If nothing is left in it the buffer is given back until the next read; whether that is so. */
bool intake_rest(struct intake *intake);

/* One read. IO_END only once there is nothing left to look at; a fault also for a frame that is
 * longer than any may be. */
enum io intake_read(struct intake *intake, struct stream *source, struct fault *fault);

/* Looks for the next message, which is then intake->part.message, and not moved before the next
 * read; it stays the next one until it is consumed. False: there is none, or the fault says what is
 * wrong with the bytes. */
bool intake_find(struct intake *intake, struct fault *fault);

/* Goes on behind the message that was found. */
void intake_consume(struct intake *intake);

/* Bytes that are there and no whole message yet, as far as anybody has looked. */
size_t intake_left(const struct intake *intake);

#endif
