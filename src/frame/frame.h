/*
 * Frame formats: encoding messages into a byte stream and decoding them. Pure functions over
 * memory, without descriptors or output. Each format is a const row: a new one is a file, a line in
 * formats.h and a row in frame.c.
 *
 * A message has 0 to `max` bytes; a frame is its encoding. The decoded messages do not depend on
 * how the input is split.
 */
#ifndef SOCKCAT_FRAME_FRAME_H
#define SOCKCAT_FRAME_FRAME_H

#include <stdint.h>
#include <time.h>

#include "base/fault.h"
#include "frame/size.h"

/* The longest STR of delim:STR. */
#define FRAME_DELIMITER_MAX 64

struct frame;

enum frame_result {
	FRAME_MORE, /* incomplete: more bytes are needed */
	FRAME_DONE, /* one message */
	FRAME_NONE, /* bytes between frames, to be skipped (SLIP: END after END) */
	FRAME_BAD   /* malformed */
};

/* The state and result of decoding bytes that begin with a frame. */
struct frame_part {
	/* The decoder's state: 0 for a new frame, kept by the caller after FRAME_MORE. */
	size_t scanned; /* bytes at the start that the decoder has finished with */
	size_t state;   /* defined by the format */
	size_t wanted;  /* the least size of the frame; 0: unknown */
	bool ended;     /* set by the caller: the input ends after the bytes */
	/* FRAME_DONE */
	unsigned char *message; /* points into the decoded bytes */
	size_t length;          /* of the message */
	/* FRAME_DONE, FRAME_NONE */
	size_t consumed; /* bytes to skip, > 0 */
	/* FRAME_BAD */
	size_t offset;   /* of the first invalid byte; the number of bytes: the end is invalid */
	const char *why; /* constant text, for "message 3: WHY" */
};

/* Metadata of a message, for formats that transmit it. */
struct frame_about {
	struct timespec time; /* of day, when the message was read */
	const char *from;     /* "stdin", or the peer's address; NULL: not known */
};

/* Why a message cannot be encoded. */
struct frame_refusal {
	const char *why; /* constant text, such as "a line break" */
	size_t fits; /* the longest prefix that can be encoded; SIZE_MAX: not even an empty one */
};

/* The longest frame has `times` bytes for each `per` bytes of the message, or part of them, and
 * `plus` bytes. `decode` may accept `spare` more. */
struct frame_growth {
	size_t per, times, plus, spare;
};

struct frame_format {
	const char *name;   /* the part of --frame up to ':' or ',' */
	const char *usage;  /* with parameters: "delim:STR" */
	const char *layout; /* for --list-formats: the encoding */
	const char *cannot; /* for --list-formats: what cannot be encoded; "": nothing */
	unsigned width;     /* of the length field, an integer of 1 to 8 bytes; 0: none */
	bool little;        /* the length field is little-endian */
	bool whole;         /* frame == message: the transport keeps the boundaries; n may be 0 */
	const char *delimiter; /* what each message ends with; NULL: none, or a parameter */
	size_t delimiter_length;

	/* Without the length field, delimiter or fixed size. */
	struct frame_growth growth;

	/* Parses the parameters after the name (":STR", ",inclusive" or ""). False, with *why, if
	 * they are invalid. NULL: the format has no parameters. */
	bool (*parse)(struct frame *frame, const char *text, const char **why);

	/*
	 * Decodes one message from n > 0 bytes. If part->ended, FRAME_MORE means that the input
	 * ends inside a frame. A complete frame may be modified (the message is decoded in place),
	 * an incomplete one never.
	 *
	 * Returns FRAME_BAD as soon as the bytes include the first invalid one, also in parts of a
	 * frame that are ignored (except JSON, see json.c).
	 */
	enum frame_result (*decode)(
		const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part);

	/* Describes the length field of the n bytes for which `decode` has returned FRAME_BAD:
	 * "length N (HEX) is longer than --max-message". False if it is incomplete, or valid.
	 * NULL: the format has none. */
	bool (*describe)(const struct frame *frame, const unsigned char *bytes, size_t n,
		char *text, size_t size);

	/*
	 * Encodes a message into `out`, which has room for frame_bound. Returns the size (0 is
	 * possible for an empty message), or SIZE_MAX and the refusal. `about` may be NULL.
	 */
	size_t (*encode)(const struct frame *frame, const unsigned char *message, size_t length,
		const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal);
};

/* A format and its parameters. */
struct frame {
	const struct frame_format *format;
	size_t max; /* the largest message; a larger one is FRAME_BAD */
	/* Set by the user of the struct after frame_parse: */
	bool strict;     /* a last line without its end is incomplete, not a message */
	bool escape;     /* delimiters inside a message are encoded and decoded as C escapes */
	bool short_last; /* fixed: the last decoded message, and any encoded one, may be shorter */
	/* Set by frame_parse: */
	size_t size;          /* fixed: of each message */
	bool padded;          /* fixed: shorter messages are padded with `pad` */
	unsigned char pad;    /* fixed */
	bool inclusive;       /* length field: it counts itself too */
	int64_t add;          /* length field: it is the length plus this */
	bool lenient;         /* octet-counting: lines and separators are accepted too */
	size_t header;        /* length field: bytes of the message in front of it; <= max */
	uint64_t shift;       /* integer: the length of the message minus the field, modulo 2^64 */
	uint64_t least, most; /* integer: the lengths of messages that it can count */
	unsigned char delimiter[FRAME_DELIMITER_MAX];
	size_t delimiter_length;
};

/*
 * Parses "line", "delim:\r\n", "fixed:16,pad=0x20", "u32be,inclusive,offset=1". All other fields
 * but max are zeroed. False with a fault that quotes the text, STATUS_VALUE.
 */
bool frame_parse(struct frame *frame, const char *text, size_t max, struct fault *fault);

/* Row i of the table of formats; NULL after the last one. */
const struct frame_format *frame_row(size_t i);

/* How the format's frames grow with these parameters. */
struct frame_growth frame_growth(const struct frame *frame);

/* The size of the longest frame that is made of `length` bytes; SIZE_MAX on overflow. */
static inline size_t
frame_bound(const struct frame_growth *growth, size_t length)
{
	size_t units = length;
	if (growth->per > 1)
		units = length / growth->per + (length % growth->per != 0);
	return size_add(size_multiply(units, growth->times), growth->plus);
}

/* The size of the longest frame that can be decoded; SIZE_MAX on overflow. */
size_t frame_limit(const struct frame *frame);

#endif
