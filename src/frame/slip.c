/* SLIP (RFC 1055): messages end with the byte 192, which is escaped inside them. */
#include "frame/formats.h"

#include "frame/part.h"

#define SLIP_END 192
#define SLIP_ESC 219
#define SLIP_ESC_END 220
#define SLIP_ESC_ESC 221

/* Decodes the escapes of n bytes in place; returns the length of the message. */
static size_t
slip_unescape(unsigned char *bytes, size_t n)
{
	size_t put = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = bytes[i];
		if (byte == SLIP_ESC)
			byte = bytes[++i] == SLIP_ESC_END ? SLIP_END : SLIP_ESC;
		bytes[put++] = byte;
	}
	return put;
}

/* The state is the length of the message so far; an escape counts at its first byte. */
static enum frame_result
slip_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t between = 0;
	while (between < n && bytes[between] == SLIP_END)
		between++;
	if (between > 0)
		return part_none(part, between);
	for (size_t i = part->scanned; i < n; i++) {
		unsigned char byte = bytes[i];
		if (i > 0 && bytes[i - 1] == SLIP_ESC) {
			if (byte != SLIP_ESC_END && byte != SLIP_ESC_ESC)
				return part_bad(part, i, "a bad SLIP escape");
			continue;
		}
		if (byte == SLIP_END)
			return part_done(part, bytes, slip_unescape(bytes, i), i + 1);
		if (part->state == frame->max)
			return part_bad(part, i, PART_TOO_LONG);
		part->state++;
	}
	part->scanned = n;
	return FRAME_MORE;
}

static size_t
slip_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t put = 0;
	(void)frame, (void)about;
	if (length == 0)
		return part_refuse(refusal, "an empty message", SIZE_MAX);
	for (size_t i = 0; i < length; i++) {
		if (message[i] == SLIP_END || message[i] == SLIP_ESC) {
			out[put++] = SLIP_ESC;
			out[put++] = message[i] == SLIP_END ? SLIP_ESC_END : SLIP_ESC_ESC;
		} else {
			out[put++] = message[i];
		}
	}
	out[put++] = SLIP_END;
	return put;
}

const struct frame_format slip_format = {
	.name = "slip",
	.usage = "slip",
	.layout = "SLIP (RFC 1055)",
	.cannot = "an empty message",
	.decode = slip_decode,
	.growth = { .per = 1, .times = 2, .plus = 1 },
	.encode = slip_encode,
};
