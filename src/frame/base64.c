/* A message a line, in base64; see base64.h. */
#include "frame/base64.h"

#include "frame/ending.h"
#include "frame/part.h"
#include "frame/size.h"

static unsigned char
base64_digit(uint32_t value)
{
	return (unsigned char)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		[value & 0x3f];
}

/* 64 and more if it is none. */
static uint32_t
base64_value(unsigned char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - (uint32_t)'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - (uint32_t)'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - (uint32_t)'0' + 52;
	return digit == '+' ? 62 : digit == '/' ? 63 : 64;
}

size_t
base64_size(size_t length)
{
	return size_multiply(length / 3 + (length % 3 != 0), 4);
}

size_t
base64_write(const unsigned char *in, size_t length, unsigned char *out)
{
	size_t put = 0;
	for (size_t i = 0; i < length; i += 3) {
		size_t rest = length - i;
		uint32_t bits = (uint32_t)in[i] << 16;
		bits |= rest > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= rest > 2 ? in[i + 2] : 0;
		out[put++] = base64_digit(bits >> 18);
		out[put++] = base64_digit(bits >> 12);
		out[put++] = rest > 1 ? base64_digit(bits >> 6) : '=';
		out[put++] = rest > 2 ? base64_digit(bits) : '=';
	}
	return put;
}

enum frame_result
base64_read(const unsigned char *in, size_t n, unsigned char *out, struct frame_part *part)
{
	size_t digits = n, put = 0;
	while (digits > 0 && n - digits < 2 && in[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++)
		if (base64_value(in[i]) > 63)
			return part_bad(part, i, "no character of base64");
	if (n % 4 != 0)
		return part_bad(part, n, "base64 that is no multiple of four characters");
	/* The bits that belong to no byte have to be zero. */
	size_t unused = n - digits;
	if (unused > 0 && (base64_value(in[digits - 1]) & ((1U << 2 * unused) - 1)) != 0)
		return part_bad(part, digits - 1, "base64 that is not canonical");
	for (size_t i = 0; i < n; i += 4) {
		uint32_t bits = 0;
		size_t bytes = i + 4 < n ? 3 : 3 - unused;
		for (size_t j = i; j < i + 4; j++)
			bits = bits << 6 | (j < digits ? base64_value(in[j]) : 0);
		for (size_t j = 0; j < bytes; j++)
			out[put++] = (unsigned char)(bits >> (16 - 8 * j));
	}
	part->message = out;
	part->length = put;
	return FRAME_DONE;
}

static enum frame_result
base64_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	enum frame_result result =
		ending_seek_line(frame, base64_size(frame->max), bytes, n, ended, part);
	if (result == FRAME_DONE)
		result = base64_read(bytes, part->length, bytes, part);
	/* Four characters have room for more than the last one or two bytes. */
	if (result == FRAME_DONE && part->length > frame->max)
		return part_bad(part, frame->max / 3 * 4 + frame->max % 3, PART_TOO_LONG);
	return result;
}

static size_t
base64_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(base64_size(length), 1);
}

static size_t
base64_limit(const struct frame *frame)
{
	return size_add(base64_bound(frame, frame->max), 1);
}

static size_t
base64_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame;
	(void)about;
	(void)refusal;
	size_t put = base64_write(message, length, out);
	out[put] = '\n';
	return put + 1;
}

const struct frame_format base64_format = {
	.name = "base64",
	.usage = "base64",
	.layout = "one message a line, in base64",
	.cannot = "",
	.decode = base64_decode,
	.bound = base64_bound,
	.limit = base64_limit,
	.encode = base64_encode,
};
