/* SLIP; see slip.h. */
#include "frame/slip.h"

#include "frame/ending.h"
#include "frame/part.h"
#include "frame/size.h"

#define SLIP_END 192
#define SLIP_ESC 219
#define SLIP_ESC_END 220
#define SLIP_ESC_ESC 221

static const unsigned char slip_ending[] = { SLIP_END };

static enum frame_result
slip_undo(const struct frame *frame, unsigned char *bytes, struct frame_part *part)
{
	size_t put = 0, i = 0;
	while (i < part->length) {
		size_t first = i;
		unsigned char byte = bytes[i++];
		if (byte == SLIP_ESC) {
			/* What stands behind the last one is END. */
			byte = bytes[i++];
			if (byte != SLIP_ESC_END && byte != SLIP_ESC_ESC)
				return part_bad(part, first, "a bad SLIP escape");
			byte = byte == SLIP_ESC_END ? SLIP_END : SLIP_ESC;
		}
		if (put == frame->max)
			return part_bad(part, first, PART_TOO_LONG);
		bytes[put++] = byte;
	}
	part->length = put;
	return FRAME_DONE;
}

static enum frame_result
slip_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	const struct ending ending = {
		.text = slip_ending,
		.size = sizeof slip_ending,
		.limit = size_multiply(frame->max, 2),
		.why = PART_TOO_LONG,
	};
	size_t between = 0;
	while (between < n && bytes[between] == SLIP_END)
		between++;
	if (between > 0)
		return part_none(part, between);
	enum frame_result result = ending_seek(&ending, bytes, n, ended, part);
	return result == FRAME_DONE ? slip_undo(frame, bytes, part) : result;
}

static size_t
slip_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(size_multiply(length, 2), 1);
}

static size_t
slip_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t put = 0;
	(void)frame;
	(void)about;
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
	.bound = slip_bound,
	.encode = slip_encode,
};
