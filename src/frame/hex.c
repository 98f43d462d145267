/* The format hex; see hex.h. */
#include "frame/hex.h"

#include "frame/ending.h"
#include "frame/part.h"
#include "frame/size.h"

unsigned
hex_value(unsigned char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - (unsigned)'0';
	unsigned char lower = digit | 0x20;
	return lower >= 'a' && lower <= 'f' ? lower - (unsigned)'a' + 10 : 16;
}

unsigned char
hex_digit(unsigned value)
{
	return (unsigned char)"0123456789abcdef"[value & 0xf];
}

bool
hex_read(const char *text, size_t n, unsigned char *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned high = hex_value((unsigned char)text[2 * i]);
		unsigned low = high < 16 ? hex_value((unsigned char)text[2 * i + 1]) : 16;
		if (low > 15)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static enum frame_result
hex_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	const char *why = "not a hexadecimal digit";
	size_t limit = size_multiply(frame->max, 2), at = part->scanned;
	for (; at < n && hex_value(bytes[at]) <= 15; at++)
		if (at == limit)
			return part_bad(part, at, PART_TOO_LONG);
	bool line = at < n ? bytes[at] == '\r' || bytes[at] == '\n' : part->ended && !frame->strict;
	if (line && at % 2 != 0)
		return part_bad(part, at, "an odd number of hexadecimal digits");
	part->scanned = at;
	enum frame_result result = ending_line(frame, bytes, n, at, why, part);
	if (result != FRAME_DONE)
		return result;
	part->length /= 2;
	for (size_t i = 0; i < part->length; i++)
		bytes[i] =
			(unsigned char)(hex_value(bytes[2 * i]) << 4 | hex_value(bytes[2 * i + 1]));
	return FRAME_DONE;
}

static size_t
hex_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame, (void)about, (void)refusal;
	for (size_t i = 0; i < length; i++) {
		out[2 * i] = hex_digit(message[i] >> 4);
		out[2 * i + 1] = hex_digit(message[i]);
	}
	out[2 * length] = '\n';
	return 2 * length + 1;
}

const struct frame_format hex_format = {
	.name = "hex",
	.usage = "hex",
	.layout = "one message a line, as hexadecimal digits",
	.cannot = "",
	.decode = hex_decode,
	.growth = { .per = 1, .times = 2, .plus = 1, .spare = 1 },
	.encode = hex_encode,
};
