/*
 * What lies between the source and the sink of a flow, bounded in size. The flow does not know
 * which kind it is: a ring of bytes, messages, or something of the kernel's.
 */
#ifndef SOCKCAT_FLOW_CARRIER_H
#define SOCKCAT_FLOW_CARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "flow/crlf.h"
#include "frame/frame.h"
#include "stream/stream.h"

/* The usual bound: large enough that the cost of the system calls disappears behind that of the
 * copying, and for every datagram; two of them are all that a session needs. */
#define CARRIER_SIZE ((size_t)256 * 1024)

/* What a lean ring has without memory: little, but enough to go on, and to find the end. */
#define CARRIER_SPARE 128

struct carrier;
struct message;
struct post_box;

struct carrier_ops {
	const char *name;
	bool (*has_room)(const struct carrier *carrier);
	bool (*has_data)(const struct carrier *carrier);
	enum io (*fill)(struct carrier *, struct stream *source, size_t *got, struct fault *);
	enum io (*drain)(struct carrier *, struct stream *sink, size_t *put, struct fault *);
	size_t (*drop)(struct carrier *); /* throws away what it holds; the number of bytes */
	void (*close)(struct carrier *);
};

/* What becomes of a message that the sink's format cannot carry. */
enum carrier_oversize { CARRIER_OVERSIZE_FAIL, CARRIER_OVERSIZE_TRUNCATE, CARRIER_OVERSIZE_SKIP };

/* What the kinds become that let the kernel move the bytes, when it does not. */
extern const struct carrier_ops carrier_ring;

/* What is wanted of it. */
struct carrier_config {
	size_t size; /* > 0: its bound in bytes */
	bool crlf;   /* line ends are converted on the way in */
	bool splice; /* the kernel may move the bytes, if it can */
	bool units;  /* one drain writes no more than one line, or message */
	bool lean;   /* bytes that wait for long are few: memory is had only while there are some */
	/* How messages lie in the source's bytes (not owned; NULL: a read is a message), how they
	 * are to lie in the sink's (NULL: as they are), … */
	const struct frame *decode, *encode;
	enum carrier_oversize oversize;
	uint64_t most; /* … and how many are wanted; 0: all */
};

struct carrier {
	const struct carrier_ops *ops;
	const struct stream *sink; /* not owned */
	bool units;                /* one drain writes no more than one line, or message, … */
	bool unit_ended;           /* … and the last one wrote the end of it */
	bool ready;                /* when it has room, a fill needs no read */
	size_t part;               /* bytes that are read and no whole message yet */
	/* What the last fill or drain did beyond its answer; the flow takes it and puts it to 0: */
	size_t fetched;              /* bytes that count as read */
	uint64_t brought;            /* messages, or reads that brought something */
	uint64_t skipped, truncated; /* messages that could not be carried */
	/* ring: */
	struct buf buf; /* if it is lean, only while there is something in it */
	bool lean;
	unsigned char spare[CARRIER_SPARE]; /* it may lie in here, if there is no memory */
	size_t size;
	bool splice; /* once much comes at a time, the kernel may move it, … */
	bool much;   /* … as it did with the last read */
	struct crlf crlf;
	bool converts;      /* line ends are converted, … */
	unsigned char *raw; /* … in here; owned, made with the ring */
	/* splice: */
	int pipe[2];    /* owned */
	size_t piped;   /* the bytes in it */
	unsigned stuck; /* how often in a row nothing came although there was something */
	bool full;      /* it takes nothing before something is taken out */
	/* fan-out: what of the box counts as read: */
	struct post_box *box; /* not owned */
	size_t waiting, held; /* blocks, bytes */
	/* messages: */
	struct message *message; /* owned */
	uint64_t taken;          /* bytes of the source that were them, or between them */
};

/* Chooses the kind that suits both ends. False and a fault if there is no memory. */
bool carrier_open(struct carrier *carrier, const struct stream *source, const struct stream *sink,
	const struct carrier_config *config, struct fault *fault);

/* Makes one that let the kernel move the bytes a ring for good, with room for a read behind the
 * `held` bytes that are still to be put into it. False and a fault if there is no memory. */
bool carrier_leave(struct carrier *carrier, size_t held, struct fault *fault);

/* Frees it; also good on a zeroed struct. */
void carrier_close(struct carrier *carrier);

#endif
