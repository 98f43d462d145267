/* A message a line, as hexadecimal digits; see hex.h. */
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

static enum frame_result
hex_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	size_t limit = size_multiply(frame->max, 2);
	enum frame_result result = ending_seek_line(frame, limit, bytes, n, ended, part);
	if (result != FRAME_DONE)
		return result;
	for (size_t i = 0; i < part->length; i++)
		if (hex_value(bytes[i]) > 15)
			return part_bad(part, i, "no hexadecimal digit");
	if (part->length % 2 != 0)
		return part_bad(part, part->length, "an odd number of hexadecimal digits");
	part->length /= 2;
	for (size_t i = 0; i < part->length; i++)
		bytes[i] =
			(unsigned char)(hex_value(bytes[2 * i]) << 4 | hex_value(bytes[2 * i + 1]));
	return FRAME_DONE;
}

static size_t
hex_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(size_multiply(length, 2), 1);
}

static size_t
hex_limit(const struct frame *frame)
{
	return size_add(hex_bound(frame, frame->max), 1);
}

static size_t
hex_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame;
	(void)about;
	(void)refusal;
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
	.bound = hex_bound,
	.limit = hex_limit,
	.encode = hex_encode,
};
