/* Messages behind their length in digits; see decimal.h. */
#include "frame/decimal.h"

#include <string.h>

#include "frame/part.h"
#include "frame/size.h"

enum frame_result
decimal_read(const struct frame *frame, const unsigned char *bytes, size_t n, size_t *at,
	size_t *length, struct frame_part *part)
{
	size_t first = *at, value = 0, i = first;
	for (; i < n && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
		size_t digit = bytes[i] - (size_t)'0';
		if (i > first && bytes[first] == '0')
			return part_bad(part, first, "a length with a leading zero");
		if (digit > frame->max || value > (frame->max - digit) / 10)
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

/* The length, a mark, the message, and `tail` bytes behind it. */
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
			mark == ':' ? "no ':' behind the length" : "no space behind the length");
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

static size_t
decimal_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(length, DECIMAL_MAX + 2);
}

static enum frame_result
decimal_decode_netstring(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	(void)ended;
	enum frame_result result = decimal_decode(frame, bytes, n, ':', 1, part);
	if (result == FRAME_DONE && bytes[part->consumed - 1] != ',')
		return part_bad(part, part->consumed - 1, "no ',' behind the message");
	return result;
}

static size_t
decimal_encode_netstring(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame;
	(void)about;
	(void)refusal;
	size_t put = decimal_encode(message, length, ':', out);
	out[put] = ',';
	return put + 1;
}

static enum frame_result
decimal_decode_octets(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	(void)ended;
	return decimal_decode(frame, bytes, n, ' ', 0, part);
}

static size_t
decimal_encode_octets(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame;
	(void)about;
	(void)refusal;
	return decimal_encode(message, length, ' ', out);
}

const struct frame_format decimal_netstring = {
	.name = "netstring",
	.usage = "netstring",
	.layout = "the length in decimal digits, ':', the bytes, ','",
	.cannot = "",
	.decode = decimal_decode_netstring,
	.bound = decimal_bound,
	.encode = decimal_encode_netstring,
};

const struct frame_format decimal_octets = {
	.name = "octet-counting",
	.usage = "octet-counting",
	.layout = "the length in decimal digits, a space, the bytes (syslog over TCP, RFC 6587)",
	.cannot = "",
	.decode = decimal_decode_octets,
	.bound = decimal_bound,
	.encode = decimal_encode_octets,
};
