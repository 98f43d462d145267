/* Consistent Overhead Byte Stuffing (Cheshire and Baker, 1997): a message without its NUL bytes,
 * followed by NUL. */
#include "frame/formats.h"

#include <string.h>

#include "frame/part.h"

/* A code n is followed by n - 1 bytes and means a NUL after them; this one means no NUL. */
#define COBS_FULL 255

/* Decodes n bytes in place; returns the length of the message. */
static size_t
cobs_unstuff(unsigned char *bytes, size_t n)
{
	size_t put = 0;
	for (size_t i = 0, code; i < n; i += code) {
		code = bytes[i];
		memmove(bytes + put, bytes + i + 1, code - 1);
		put += code - 1;
		/* The NUL of the last code is not part of the message. */
		if (code < COBS_FULL && i + code < n)
			bytes[put++] = 0;
	}
	return put;
}

/* `scanned` is the offset of the next code, the state the length of the message before it, with the
 * NUL of the previous code. */
static enum frame_result
cobs_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t between = 0;
	while (between < n && bytes[between] == 0)
		between++;
	if (between > 0)
		return part_none(part, between);
	while (part->scanned < n) {
		size_t i = part->scanned, code = bytes[i];
		if (code == 0)
			return part_done(part, bytes, cobs_unstuff(bytes, i), i + 1);
		if (part->state > frame->max || code - 1 > frame->max - part->state)
			return part_bad(part, i, PART_TOO_LONG);
		size_t end = code < n - i ? i + code : n;
		const unsigned char *nul = memchr(bytes + i, 0, end - i);
		if (nul != NULL)
			return part_bad(part, (size_t)(nul - bytes),
				"a COBS code that extends past the end");
		if (code > n - i)
			break;
		part->scanned += code;
		part->state += code - 1 + (code < COBS_FULL);
	}
	return FRAME_MORE;
}

static size_t
cobs_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t put = 0, i = 0;
	(void)frame, (void)about, (void)refusal;
	/* A full block at the end needs no empty block after it. */
	do {
		size_t run = length - i < COBS_FULL - 1 ? length - i : COBS_FULL - 1;
		const unsigned char *nul = run > 0 ? memchr(message + i, 0, run) : NULL;
		if (nul != NULL)
			run = (size_t)(nul - (message + i));
		out[put++] = (unsigned char)(run + 1);
		memcpy(out + put, message + i, run);
		put += run;
		i += run;
		if (nul != NULL && ++i == length)
			out[put++] = 1;
	} while (i < length);
	out[put++] = 0;
	return put;
}

const struct frame_format cobs_format = {
	.name = "cobs",
	.usage = "cobs",
	.layout = "COBS, then NUL",
	.cannot = "",
	.decode = cobs_decode,
	.growth = { .per = COBS_FULL - 1, .times = COBS_FULL, .plus = 2 },
	.encode = cobs_encode,
};
