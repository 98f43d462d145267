/*
 * Finds messages in the bytes of a source: by a frame format or, without one, a message is one read
 * or one message of the source. The buffer grows up to the largest frame of the format. A read
 * happens only when no whole message is left in it.
 *
 * Invariants: start <= end <= size; `given` belongs to the source and is valid until the next read.
 */
#ifndef SOCKCAT_FLOW_DEFRAMER_H
#define SOCKCAT_FLOW_DEFRAMER_H

#include "base/fault.h"
#include "frame/frame.h"
#include "stream/stream.h"

struct deframer {
	const struct frame *decode; /* not owned; NULL: a read is a message */
	const char *source;         /* the sender of the last read; not owned */
	bool keeps;                 /* the source keeps message boundaries */
	bool ended;                 /* the source has ended */
	unsigned char *bytes;       /* owned; NULL while it is empty and lazy */
	size_t size, start, end;    /* of bytes; unconsumed are those from start to end */
	size_t piece;               /* the largest read within a frame of unknown length */
	struct iovec single;        /* a read that was one message */
	const struct iovec *given;  /* messages of the source after start to end */
	size_t given_count;
	bool open;  /* start to end may have a message that was not searched for */
	bool found; /* `part` is a message that is not consumed yet */
	struct frame_part part;
	uint64_t offset;   /* bytes of the input before start */
	uint64_t consumed; /* messages */
};

/* Allocates a buffer of `size` bytes. False if there is no memory. */
bool deframer_open(struct deframer *deframer, const struct stream *source,
	const struct frame *decode, size_t size);

/* Frees it; also good on a zeroed struct. */
void deframer_close(struct deframer *deframer);

/* Frees the buffer until the next read, if it is empty; returns whether it was. */
bool deframer_rest(struct deframer *deframer);

/* One read. IO_END only after all input has been searched; IO_FAIL also for a frame that is longer
 * than the limit. */
enum io deframer_read(struct deframer *deframer, struct stream *source, struct fault *fault);

/* Finds the next message: deframer->part, valid until the next read, and the same one until it is
 * consumed. False: there is none, or the bytes are not valid and the fault is set. */
bool deframer_find(struct deframer *deframer, struct fault *fault);

/* Continues after the message that was found. */
static inline void
deframer_consume(struct deframer *deframer)
{
	deframer->start += deframer->part.consumed;
	deframer->offset += deframer->part.consumed;
	deframer->consumed += deframer->found;
	deframer->open = deframer->start < deframer->end;
	deframer->found = false;
	deframer->part.scanned = deframer->part.state = deframer->part.wanted = 0;
}

/* Bytes of the input that are not consumed. */
size_t deframer_left(const struct deframer *deframer);

#endif
