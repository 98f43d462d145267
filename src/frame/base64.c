/* The format base64; see base64.h. */
#include "frame/base64.h"

#include "frame/ending.h"
#include "frame/part.h"

#define BASE64_PART "base64 that is not a multiple of four characters"

static unsigned char
base64_digit(uint32_t value)
{
	return (unsigned char)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		[value & 0x3f];
}

/* The value of a digit; 64: not a digit. */
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

/* The index of the first character, from `from` on, that is not valid in base64 of at most `max`
 * bytes; n if all are. */
static size_t
base64_scan(const unsigned char *in, size_t from, size_t n, size_t max, const char **why)
{
	for (size_t i = from; i < n; i++) {
		unsigned char before = i > 0 ? in[i - 1] : 0;
		uint32_t value = base64_value(in[i]);
		/* The bits of this digit that do not complete a byte. */
		uint32_t rest = i % 4 == 0 ? 0 : (i % 4 == 1 ? 0xf : i % 4 == 2 ? 3 : 0);
		*why = "not a base64 character";
		if (before == '=') {
			if (in[i] != '=' || i % 4 != 3)
				return i;
		} else if (in[i] == '=') {
			if (i % 4 < 2)
				return i;
			*why = "base64 that is not canonical";
			if ((base64_value(before) & (i % 4 == 2 ? 0xf : 3)) != 0)
				return i;
		} else {
			if (value > 63)
				return i;
			*why = PART_TOO_LONG;
			if (i / 4 * 3 + (i % 4 > 1 ? i % 4 : 1) + ((value & rest) != 0) > max)
				return i;
		}
	}
	return n;
}

/* Decodes n valid characters; returns the number of bytes. */
static size_t
base64_unpack(const unsigned char *in, size_t n, unsigned char *out)
{
	size_t digits = n, put = 0;
	while (digits > 0 && in[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < n; i += 4) {
		uint32_t bits = 0;
		size_t bytes = i + 4 < n ? 3 : 3 - (n - digits);
		for (size_t j = i; j < i + 4; j++)
			bits = bits << 6 | (j < digits ? base64_value(in[j]) : 0);
		for (size_t j = 0; j < bytes; j++)
			out[put++] = (unsigned char)(bits >> (16 - 8 * j));
	}
	return put;
}

enum frame_result
base64_read(const unsigned char *in, size_t n, unsigned char *out, struct frame_part *part)
{
	const char *why;
	size_t bad = base64_scan(in, 0, n, SIZE_MAX, &why);
	if (bad < n)
		return part_bad(part, bad, why);
	if (n % 4 != 0)
		return part_bad(part, n, BASE64_PART);
	part->message = out;
	part->length = base64_unpack(in, n, out);
	return FRAME_DONE;
}

static enum frame_result
base64_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t i = part->scanned;
	const char *why = "";
	while (i < n && bytes[i] != '\r' && bytes[i] != '\n')
		i++;
	size_t bad = base64_scan(bytes, part->scanned, i, frame->max, &why);
	if (bad < i)
		return part_bad(part, bad, why);
	if ((i < n || (part->ended && !frame->strict)) && i % 4 != 0)
		return part_bad(part, i, BASE64_PART);
	part->scanned = i;
	enum frame_result result = ending_line(frame, bytes, n, i, why, part);
	if (result == FRAME_DONE)
		part->length = base64_unpack(bytes, part->length, bytes);
	return result;
}

static size_t
base64_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame, (void)about, (void)refusal;
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
	.growth = { .per = 3, .times = 4, .plus = 1, .spare = 1 },
	.encode = base64_encode,
};
