/*
 * Feeds bytes to a decoder of frames in pieces, as a reader does, and keeps what comes out. Every
 * call gets a block of memory of exactly the size it is told, and what it may say is checked.
 */
#ifndef SOCKCAT_TESTS_FRAMING_H
#define SOCKCAT_TESTS_FRAMING_H

#include "frame/frame.h"

struct framing_message {
	unsigned char *bytes;
	size_t length;
};

enum framing_end {
	FRAMING_WHOLE, /* the input ended behind a frame, … */
	FRAMING_CUT,   /* … or in one that began at the offset, … */
	FRAMING_BAD    /* … or it was refused there */
};

struct framing {
	struct framing_message *messages;
	size_t count;
	enum framing_end end;
	size_t offset;
	const char *why;
	const char *broken; /* which promise of frame.h a call did not keep; NULL: none */
};

/* Cuts the n bytes at `count` places, which rise. `late`: that the input has ended is told in a
 * call of its own. */
void framing_decode(struct framing *framing, const struct frame *frame, const unsigned char *in,
	size_t n, const size_t *cuts, size_t count, bool late);

void framing_clear(struct framing *framing);

bool framing_same(const struct framing *a, const struct framing *b);

/* "[first][second]", and "cut@N" or "bad@N" behind it; to be freed. Bytes that are not printed, and
 * '[', ']' and '\', are "\xHH". */
char *framing_text(const struct framing *framing);

/* Encodes into a block of exactly the bound. The frame (to be freed), or NULL and the refusal. */
unsigned char *framing_encode(const struct frame *frame, const unsigned char *message,
	size_t length, size_t *size, struct frame_refusal *refusal);

#endif
