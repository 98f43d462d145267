/*
 * Feeds bytes to a frame decoder in pieces and collects the messages. Every call gets a block of
 * exactly the stated size, and its result is checked against the contract of frame.h.
 */
#ifndef SOCKCAT_TESTS_FRAMING_H
#define SOCKCAT_TESTS_FRAMING_H

#include "frame/frame.h"

struct framing_message {
	unsigned char *bytes;
	size_t length;
};

enum framing_end {
	FRAMING_WHOLE, /* the input ended after a frame */
	FRAMING_CUT,   /* it ended inside a frame that began at the offset */
	FRAMING_BAD    /* it was rejected at the offset */
};

struct framing {
	struct framing_message *messages;
	size_t count;
	enum framing_end end;
	bool early; /* rejected before the decoder knew the end of the input */
	size_t offset;
	const char *why;
	const char *broken; /* the contract of frame.h that a call broke; NULL: none */
};

/* Splits the n bytes at `count` increasing offsets. `late`: the end of the input is reported in a
 * separate call. */
void framing_decode(struct framing *framing, const struct frame *frame, const unsigned char *in,
	size_t n, const size_t *cuts, size_t count, bool late);

void framing_clear(struct framing *framing);

bool framing_same(const struct framing *a, const struct framing *b);

/* "[first][second]", then "cut@N" or "bad@N". The caller frees it. Non-printable bytes and '[',
 * ']', '\' are "\xHH". */
char *framing_text(const struct framing *framing);

/* Encodes into a block of exactly the bound. Returns the frame, which the caller frees, or NULL and
 * the refusal. */
unsigned char *framing_encode(const struct frame *frame, const unsigned char *message,
	size_t length, size_t *size, struct frame_refusal *refusal);

#endif
