/*
 * What lies between the source and the sink of a flow, bounded in size. The flow does not know
 * which kind it is: a ring of bytes, or one whole message at a time.
 */
#ifndef SOCKCAT_FLOW_CARRIER_H
#define SOCKCAT_FLOW_CARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "flow/crlf.h"
#include "stream/stream.h"

/* The usual bound: large enough that the cost of the system calls disappears behind that of the
 * copying, and for every datagram; two of them are all that a session needs. */
#define CARRIER_SIZE ((size_t)256 * 1024)

struct carrier;

struct carrier_ops {
	const char *name;
	bool (*has_room)(const struct carrier *carrier);
	bool (*has_data)(const struct carrier *carrier);
	enum io (*fill)(struct carrier *, struct stream *source, size_t *got, struct fault *);
	enum io (*drain)(struct carrier *, struct stream *sink, size_t *put, struct fault *);
	void (*close)(struct carrier *);
};

/* What the kinds become that let the kernel move the bytes, when it does not. */
extern const struct carrier_ops carrier_ring;

/* What is wanted of it. */
struct carrier_config {
	size_t size; /* > 0: its bound in bytes */
	bool crlf;   /* line ends are converted on the way in */
	bool splice; /* the kernel may move the bytes, if it can */
	bool units;  /* one drain writes no more than one line, or message */
};

struct carrier {
	const struct carrier_ops *ops;
	const struct stream *sink; /* not owned */
	struct buf buf;
	size_t size;  /* of a ring that is still to be made */
	bool splice;  /* ring: once much comes at a time, the kernel may move it */
	bool much;    /* ring: as it did with the last read */
	size_t limit; /* message: the most that one read may bring */
	bool held;    /* message: there is one, maybe of 0 bytes; buf holds what is left of it */
	bool units, unit_ended; /* the last drain wrote the end of a line, or message */
	unsigned char
		*raw; /* owned: what is read, before line ends are converted; NULL: they are not */
	struct crlf crlf;
	int pipe[2];     /* splice: owned */
	size_t piped;    /* splice: the bytes in it */
	unsigned stuck;  /* splice: how often in a row nothing came although there was something */
	bool full;       /* splice: it takes nothing before something is taken out */
	int file;        /* sendfile: not owned */
	size_t promised; /* sendfile: bytes of the file that the next drains send */
	size_t fetched;  /* sendfile: what the last drain took from the source itself */
};

/* Chooses the kind that suits both ends. False and a fault if there is no memory. */
bool carrier_open(struct carrier *carrier, const struct stream *source, const struct stream *sink,
	const struct carrier_config *config, struct fault *fault);

/* Makes one that let the kernel move the bytes a ring for good, with room for a read behind the
 * `held` bytes that are still to be put into it. False and a fault if there is no memory. */
bool carrier_leave(struct carrier *carrier, size_t held, struct fault *fault);

/* Frees it; also good on a zeroed struct. */
void carrier_close(struct carrier *carrier);

/* Throws away what it holds; returns the number of bytes. */
size_t carrier_drop(struct carrier *carrier);

#endif
