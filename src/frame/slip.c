/* SLIP (RFC 1055): messages end with the byte 192, which is escaped inside them. */
#include "frame/formats.h"

#include <string.h>

#include "frame/part.h"

#define SLIP_END 192
#define SLIP_ESC 219
#define SLIP_ESC_END 220
#define SLIP_ESC_ESC 221

/* Decodes the escapes of n bytes in place. */
static void
slip_unescape(unsigned char *bytes, size_t n)
{
	size_t put = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = bytes[i];
		if (byte == SLIP_ESC)
			byte = bytes[++i] == SLIP_ESC_END ? SLIP_END : SLIP_ESC;
		bytes[put++] = byte;
	}
}

/* The state is the length of the message before `scanned`; an escape is scanned as a whole. */
static enum frame_result
slip_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t between = 0, i = part->scanned, length = part->state;
	while (between < n && bytes[between] == SLIP_END)
		between++;
	if (between > 0)
		return part_none(part, between);
	const unsigned char *stop = memchr(bytes + i, SLIP_END, n - i);
	size_t end = stop != NULL ? (size_t)(stop - bytes) : n;
	while (i < end) {
		const unsigned char *escape = memchr(bytes + i, SLIP_ESC, end - i);
		size_t run = escape != NULL ? (size_t)(escape - bytes) - i : end - i;
		size_t room = frame->max - length;
		if (run > room || (run == room && escape != NULL))
			return part_bad(part, i + room, PART_TOO_LONG);
		i += run;
		length += run;
		if (escape == NULL || i + 1 == n)
			break;
		if (escape[1] != SLIP_ESC_END && escape[1] != SLIP_ESC_ESC)
			return part_bad(part, i + 1, "a bad SLIP escape");
		i += 2;
		length++;
	}
	part->scanned = i;
	part->state = length;
	if (stop == NULL)
		return FRAME_MORE;
	if (length < end)
		slip_unescape(bytes, end);
	return part_done(part, bytes, length, end + 1);
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
