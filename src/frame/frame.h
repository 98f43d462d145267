/*
 * Frame formats: how messages lie in a run of bytes, and back. Pure functions over memory: no
 * descriptor, no printing, nothing global. One const row per format; a new format is a row in
 * frame.c and a file.
 *
 * A message is a run of 0 to `max` bytes; a frame is what carries one on a stream. Decoding gives
 * the same messages however the input was cut.
 */
#ifndef SOCKCAT_FRAME_FRAME_H
#define SOCKCAT_FRAME_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/fault.h"

/* The longest STR of delim:STR. */
#define FRAME_DELIMITER_MAX 64

struct frame;

enum frame_result {
	FRAME_MORE, /* the frame is not whole: more bytes are needed */
	FRAME_DONE, /* one message */
	FRAME_NONE, /* bytes between two frames, which belong to none (SLIP: END after END) */
	FRAME_BAD   /* these bytes are no frame of the format */
};

/* What a decoder is given and says of the bytes, which begin with a frame. */
struct frame_part {
	/* In and out, 0 for a new frame; the caller keeps both while the answer is FRAME_MORE: so
	 * many bytes at the front were looked at already and do not end the frame, … */
	size_t scanned;
	size_t wanted;          /* … and it has at least so many bytes; 0: not known */
	unsigned char *message; /* FRAME_DONE: the message, which lies in the bytes given, … */
	size_t length;          /* … and its length */
	size_t consumed;        /* FRAME_DONE, FRAME_NONE: the bytes that are dealt with, > 0 */
	size_t offset;          /* FRAME_BAD: which byte, counted from the first given */
	const char *why;        /* FRAME_BAD: constant text, for "message 3: WHY" */
};

/* What goes along with a message, for formats that have room for it. */
struct frame_about {
	struct timespec time; /* of day, when it was read */
	const char *from;     /* "stdin", or the peer's address; NULL: not known */
};

/* Why a message cannot be carried. */
struct frame_refusal {
	const char *why; /* constant text: "a line break", … */
	size_t fits; /* so many bytes from its front could be carried; SIZE_MAX: not even none */
};

struct frame_format {
	const char *name;   /* the word in front of ':' and ',' */
	const char *usage;  /* with its parameters: "delim:STR" */
	const char *layout; /* for --list-formats: what is on the wire, … */
	const char *cannot; /* … and what it cannot carry; "" if all can be carried */
	unsigned width;     /* of an integer in front, in bytes; 0: there is none */
	bool little;        /* … which has its least significant byte first */
	bool whole; /* frame and message are the same bytes: the transport keeps them apart */

	/* Whether the library that it needs can be used; NULL: it needs none. */
	bool (*ready)(const char **why);

	/* Takes what stands behind the name (":STR", ",inclusive", …; "" if nothing does). False,
	 * with *why, if that is no parameter of the format. NULL: it has none. */
	bool (*parse)(struct frame *frame, const char *text, const char **why);

	/*
	 * Looks for one message in n > 0 bytes (a whole one may have none). `ended`: no more will
	 * come. The bytes of a frame may be changed once it is whole (the message is made in its
	 * place), never before. FRAME_MORE although they ended means that the stream was cut inside
	 * a frame.
	 */
	enum frame_result (*decode)(const struct frame *frame, unsigned char *bytes, size_t n,
		bool ended, struct frame_part *part);

	/* The most bytes that a frame of a message of `length` can have; SIZE_MAX if that cannot be
	 * counted. */
	size_t (*bound)(const struct frame *frame, size_t length);

	/* The same for one that others made of a message of `max` bytes; NULL: they cannot make a
	 * longer one. */
	size_t (*limit)(const struct frame *frame);

	/*
	 * Makes the frame of a message; `out` has room for its bound. Returns the number of bytes
	 * (0 is possible for an empty message), or SIZE_MAX and the refusal. `about` may be NULL.
	 */
	size_t (*encode)(const struct frame *frame, const unsigned char *message, size_t length,
		const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal);
};

/* A format with its parameters; to be made by frame_parse, and then set by its user: */
struct frame {
	const struct frame_format *format;
	size_t max;      /* the largest message; what claims to be longer is FRAME_BAD */
	bool strict;     /* a last line without its end is cut off, not a message */
	bool escape;     /* delimiters inside a message are written as C escapes, and read so */
	bool short_last; /* fixed: the last message may be shorter; written: any may */
	/* Parameters: */
	size_t size;       /* fixed */
	bool padded;       /* fixed: shorter messages are made longer, … */
	unsigned char pad; /* … with this */
	bool inclusive;    /* integer in front: it counts itself, too */
	int64_t add;       /* integer in front: a constant that is in the count */
	unsigned char delimiter[FRAME_DELIMITER_MAX];
	size_t delimiter_length;
};

/*
 * Reads "line", "delim:\r\n", "fixed:16,pad=0x20", "u32be,inclusive,add=4". Everything that is no
 * parameter is zero, but max. False and a fault (STATUS_VALUE; STATUS_MISSING if the build, or the
 * machine, lacks a library that the format needs) which quotes the text.
 */
bool frame_parse(struct frame *frame, const char *text, size_t max, struct fault *fault);

/* Row i of the table of formats; NULL behind the last one. */
const struct frame_format *frame_row(size_t i);

/*
 * The most bytes that a frame with a message of `max` bytes can have when it is decoded: what lies
 * in front of the end of a frame is never more. SIZE_MAX if that cannot be counted.
 */
size_t frame_limit(const struct frame *frame);

#endif
