/*
 * Fuzzes frame decoders. Five bytes select the format (a row of the table), its parameters, the
 * largest message, and two offsets to split at; the rest is the input. Unsplit, split and byte by
 * byte it gives the same messages and the same error at the same offset, reported as soon as that
 * byte is available. No call breaks the contract of frame.h (framing.c), and decoded messages are
 * unchanged after encoding and decoding.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framing.h"

#define FRAME_FUZZ_HEAD 5

/* Byte by byte up to there; the rest in one piece. */
#define FRAME_FUZZ_EACH 300

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The format, with parameters if it has any. */
static bool
frame_fuzz_parse(struct frame *frame, unsigned row, unsigned flags, size_t max)
{
	static const char *const delimiters[] = { ":aab", ":\\r\\n.\\r\\n", ":x0", ":\\\\" };
	static const char *const sizes[] = { ":1", ":3", ":3,pad=0", ":1,pad=0x20" };
	static const char *const counts[] = { "", ",inclusive", ",add=-1", ",inclusive,add=3" };
	static const char *const headers[] = { "", ",offset=1", ",offset=3", ",offset=20" };
	const struct frame_format *format = frame_row(row);
	const char *behind = "";
	char text[64];
	if (format == NULL)
		return false;
	if (strcmp(format->name, "delim") == 0)
		behind = delimiters[flags >> 6];
	else if (strcmp(format->name, "fixed") == 0)
		behind = sizes[flags >> 6];
	else if (strcmp(format->name, "octet-counting") == 0)
		behind = flags >> 7 != 0 ? ",lenient" : "";
	else if (format->width > 0)
		behind = counts[flags >> 6];
	bool header = format->width > 0 || strcmp(format->name, "varint") == 0;
	(void)snprintf(text, sizeof text, "%s%s%s", format->name, behind,
		header ? headers[flags >> 4 & 3] : "");
	struct fault fault = FAULT_NONE;
	bool good = frame_parse(frame, text, max, &fault);
	fault_clear(&fault);
	frame->strict = (flags & 1) != 0;
	frame->escape = (flags & 2) != 0;
	frame->short_last = (flags & 4) != 0;
	return good;
}

/* Encodes a decoded message and decodes it again. */
static void
frame_fuzz_again(const struct frame *frame, const struct framing_message *message)
{
	struct frame_refusal refusal;
	struct framing framing;
	size_t size;
	unsigned char *made =
		framing_encode(frame, message->bytes, message->length, &size, &refusal);
	if (made == NULL) {
		/* An escape that is accepted may be one that is never written. */
		if (!frame->escape || frame->delimiter_length == 0 ||
			(refusal.fits != SIZE_MAX && refusal.fits >= message->length))
			abort();
		return;
	}
	framing_decode(&framing, frame, made, size, NULL, 0, false);
	if (framing.broken != NULL || framing.end != FRAMING_WHOLE || framing.count != 1)
		abort();
	/* A short last message may have been padded. */
	size_t length = framing.messages[0].length;
	if (length < message->length || (length > message->length && !frame->padded) ||
		memcmp(framing.messages[0].bytes, message->bytes, message->length) != 0)
		abort();
	framing_clear(&framing);
	free(made);
}

/* The byte at the offset of an error is rejected when it is available, and none before it. */
static void
frame_fuzz_early(
	const struct frame *frame, const uint8_t *in, size_t n, const struct framing *whole)
{
	struct framing part;
	/* JSON is parsed line by line, and the end of the input is not a byte. */
	if (whole->end != FRAMING_BAD || whole->offset == n ||
		strcmp(frame->format->name, "json") == 0)
		return;
	framing_decode(&part, frame, in, whole->offset + 1, NULL, 0, true);
	if (!part.early || !framing_same(whole, &part))
		abort();
	framing_clear(&part);
	framing_decode(&part, frame, in, whole->offset, NULL, 0, true);
	if (part.early || part.broken != NULL)
		abort();
	framing_clear(&part);
}

static void
frame_fuzz_cut(const struct frame *frame, const uint8_t *in, size_t n, const size_t *cuts,
	size_t count, bool late, const struct framing *whole)
{
	struct framing cut;
	framing_decode(&cut, frame, in, n, cuts, count, late);
	if (!framing_same(whole, &cut))
		abort();
	framing_clear(&cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static size_t each[FRAME_FUZZ_EACH];
	static const size_t sizes[] = { 0, 1, 3, 20, 64, 255, 1000, 16U << 20 };
	struct frame frame;
	struct framing whole;
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
	for (size_t i = 0; i < size && i < FRAME_FUZZ_EACH; i++)
		each[i] = i;
	if (!frame.format->whole) {
		bool late = (bytes[1] & 8) != 0;
		frame_fuzz_cut(&frame, in, size, cuts, 2, late, &whole);
		frame_fuzz_cut(&frame, in, size, each,
			size < FRAME_FUZZ_EACH ? size : FRAME_FUZZ_EACH, late, &whole);
		frame_fuzz_early(&frame, in, size, &whole);
	}
	for (size_t i = 0; i < whole.count; i++)
		frame_fuzz_again(&frame, &whole.messages[i]);
	framing_clear(&whole);
	return 0;
}
