/*
 * The decoders of frames under a fuzzer. Five bytes choose the format (a row of the table), its
 * parameters, the largest message, and two places to cut at; the rest comes from the peer. Whole
 * and cut input give the same, no call breaks a promise of frame.h (framing.c), and a message that
 * came out goes in again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framing.h"

#define FRAME_FUZZ_HEAD 5

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The format, with parameters if it has some. */
static bool
frame_fuzz_parse(struct frame *frame, unsigned row, unsigned flags, size_t max)
{
	static const char *const delimiters[] = { ":aab", ":\\r\\n.\\r\\n", ":x0", ":\\\\" };
	static const char *const sizes[] = { ":1", ":3", ":3,pad=0", ":1,pad=0x20" };
	static const char *const counts[] = { "", ",inclusive", ",add=-1", ",inclusive,add=3" };
	const struct frame_format *format = frame_row(row);
	const char *behind = "";
	char text[64];
	if (format == NULL)
		return false;
	if (strcmp(format->name, "delim") == 0)
		behind = delimiters[flags >> 6];
	else if (strcmp(format->name, "fixed") == 0)
		behind = sizes[flags >> 6];
	else if (format->width > 0)
		behind = counts[flags >> 6];
	(void)snprintf(text, sizeof text, "%s%s", format->name, behind);
	struct fault fault = FAULT_NONE;
	bool good = frame_parse(frame, text, max, &fault);
	fault_clear(&fault);
	frame->strict = (flags & 1) != 0;
	frame->escape = (flags & 2) != 0;
	frame->short_last = (flags & 4) != 0;
	return good;
}

/* What came out goes in, and comes out again. */
static void
frame_fuzz_again(const struct frame *frame, const struct framing_message *message)
{
	struct frame_refusal refusal;
	struct framing framing;
	size_t size;
	unsigned char *made =
		framing_encode(frame, message->bytes, message->length, &size, &refusal);
	if (made == NULL) {
		/* An escape that was read may be one that would not be written. */
		if (!frame->escape || frame->delimiter_length == 0 ||
			(refusal.fits != SIZE_MAX && refusal.fits >= message->length))
			abort();
		return;
	}
	framing_decode(&framing, frame, made, size, NULL, 0, false);
	if (framing.broken != NULL || framing.end != FRAMING_WHOLE || framing.count != 1)
		abort();
	/* A short last one may have been filled up. */
	size_t length = framing.messages[0].length;
	if (length < message->length || (length > message->length && !frame->padded) ||
		memcmp(framing.messages[0].bytes, message->bytes, message->length) != 0)
		abort();
	framing_clear(&framing);
	free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const size_t sizes[] = { 0, 1, 3, 20, 64, 255, 1000, 16U << 20 };
	struct frame frame;
	struct framing whole, cut;
	if (n < FRAME_FUZZ_HEAD ||
		!frame_fuzz_parse(&frame, bytes[0], bytes[1], sizes[bytes[2] % 8]))
		return 0;
	const uint8_t *in = bytes + FRAME_FUZZ_HEAD;
	size_t size = n - FRAME_FUZZ_HEAD;
	size_t cuts[] = { bytes[3] * size / 255, bytes[3] * size / 255 + bytes[4] };
	if (cuts[1] > size)
		cuts[1] = size;
	framing_decode(&whole, &frame, in, size, NULL, 0, false);
	if (whole.broken != NULL)
		abort();
	if (!frame.format->whole) {
		framing_decode(&cut, &frame, in, size, cuts, 2, (bytes[1] & 8) != 0);
		if (!framing_same(&whole, &cut))
			abort();
		framing_clear(&cut);
	}
	for (size_t i = 0; i < whole.count; i++)
		frame_fuzz_again(&frame, &whole.messages[i]);
	framing_clear(&whole);
	return 0;
}
