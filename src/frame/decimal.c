/* The formats netstring and octet-counting; see decimal.h. */
#include "frame/decimal.h"

#include <string.h>

#include "frame/parameter.h"
#include "frame/part.h"
#include "frame/size.h"

enum frame_result
decimal_read(const struct frame *frame, const unsigned char *bytes, size_t n, size_t *at,
	size_t *length, struct frame_part *part)
{
	size_t first = *at, value = 0, i = first;
	const size_t tens = frame->max / 10, ones = frame->max % 10;
	for (; i < n && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
		size_t digit = bytes[i] - (size_t)'0';
		if (i > first && bytes[first] == '0')
			return part_bad(part, i, "a length with a leading zero");
		if (value > tens || (value == tens && digit > ones))
			return part_bad(part, i, PART_TOO_LONG);
		value = value * 10 + digit;
	}
	if (i == n)
		return part_more(part, n + 1);
	if (i == first)
		return part_bad(part, i, "no length in decimal digits");
	*at = i;
	*length = value;
	return FRAME_DONE;
}

size_t
decimal_write(size_t value, unsigned char *out)
{
	size_t digits = 1;
	for (size_t rest = value; rest >= 10; rest /= 10)
		digits++;
	for (size_t i = digits; i > 0; i--, value /= 10)
		out[i - 1] = (unsigned char)('0' + value % 10);
	return digits;
}

/* Decodes the length, a mark, the message and `tail` bytes. */
static enum frame_result
decimal_decode(const struct frame *frame, unsigned char *bytes, size_t n, unsigned char mark,
	size_t tail, struct frame_part *part)
{
	size_t head = 0, length = 0;
	enum frame_result result = decimal_read(frame, bytes, n, &head, &length, part);
	if (result != FRAME_DONE)
		return result;
	if (bytes[head] != mark)
		return part_bad(part, head,
			mark == ':' ? "no ':' after the length" : "no space after the length");
	head++;
	size_t total = size_add(size_add(head, length), tail);
	if (n < total)
		return part_more(part, total);
	return part_done(part, bytes + head, length, total);
}

static size_t
decimal_encode(const unsigned char *message, size_t length, unsigned char mark, unsigned char *out)
{
	size_t head = decimal_write(length, out);
	out[head++] = mark;
	memcpy(out + head, message, length);
	return head + length;
}

static enum frame_result
decimal_decode_netstring(
	const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	enum frame_result result = decimal_decode(frame, bytes, n, ':', 1, part);
	if (result == FRAME_DONE && bytes[part->consumed - 1] != ',')
		return part_bad(part, part->consumed - 1, "no ',' after the message");
	return result;
}

static size_t
decimal_encode_netstring(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame, (void)about, (void)refusal;
	size_t put = decimal_encode(message, length, ':', out);
	out[put] = ',';
	return put + 1;
}

static bool
decimal_parse_octets(struct frame *frame, const char *text, const char **why)
{
	*why = "only ,lenient may follow";
	frame->lenient = parameter_take(&text, ",lenient");
	return text[0] == '\0';
}

/* A message that ends with LF or CR LF, as a sender without octet counting frames it. */
static enum frame_result
decimal_decode_line(
	const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	unsigned char *end = memchr(bytes + part->scanned, '\n', n - part->scanned);
	size_t length = end != NULL ? (size_t)(end - bytes) : n;
	bool pair = length > 0 && bytes[length - 1] == '\r';
	size_t most = frame->max + (pair && length == frame->max + 1);
	if (length > most)
		return part_bad(part, frame->max + (bytes[frame->max] == '\r'), PART_TOO_LONG);
	part->scanned = length;
	if (end != NULL)
		return part_done(part, bytes, length - pair, length + 1);
	if (part->ended && !frame->strict && length <= frame->max)
		return part_done(part, bytes, length, length);
	/* Only the end makes the CR part of the message. */
	return part->ended && !frame->strict ? part_bad(part, n, PART_TOO_LONG)
					     : part_more(part, 0);
}

/* Lines and separators between counted messages (RFC 6587, 3.4.3). */
static enum frame_result
decimal_decode_lenient(
	const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t between = 0;
	while (between < n && (bytes[between] == '\n' || bytes[between] == '\0'))
		between++;
	if (between > 0)
		return part_none(part, between);
	if (bytes[0] == '\r' && n == 1 && !part->ended)
		return part_more(part, 0);
	if (bytes[0] == '\r' && n > 1 && bytes[1] == '\n')
		return part_none(part, 2);
	return decimal_decode_line(frame, bytes, n, part);
}

static enum frame_result
decimal_decode_octets(
	const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	if (frame->lenient && (bytes[0] < '0' || bytes[0] > '9'))
		return decimal_decode_lenient(frame, bytes, n, part);
	return decimal_decode(frame, bytes, n, ' ', 0, part);
}

static size_t
decimal_encode_octets(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame, (void)about, (void)refusal;
	return decimal_encode(message, length, ' ', out);
}

const struct frame_format decimal_netstring = {
	.name = "netstring",
	.usage = "netstring",
	.layout = "the length in decimal digits, ':', the bytes, ','",
	.cannot = "",
	.decode = decimal_decode_netstring,
	.growth = { .per = 1, .times = 1, .plus = DECIMAL_MAX + 2 },
	.encode = decimal_encode_netstring,
};

const struct frame_format decimal_octets = {
	.name = "octet-counting",
	.usage = "octet-counting[,lenient]",
	.layout = "the length in decimal digits, a space, the bytes (syslog over TCP, RFC 6587)",
	.cannot = "",
	.parse = decimal_parse_octets,
	.decode = decimal_decode_octets,
	.growth = { .per = 1, .times = 1, .plus = DECIMAL_MAX + 2 },
	.encode = decimal_encode_octets,
};
