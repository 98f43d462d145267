/* Messages behind their length as an integer; see integer.h. */
#include "frame/integer.h"

#include <string.h>

#include "frame/parameter.h"
#include "frame/part.h"
#include "frame/size.h"

/* The largest constant of either sign: with the width it stays far from an overflow. */
#define INTEGER_ADD_MAX (UINT64_MAX >> 2)

/* The largest value that the integer has room for. */
static uint64_t
integer_top(const struct frame *frame)
{
	return UINT64_MAX >> (64 - 8 * frame->format->width);
}

/* What the integer says beyond the length of the message. */
static int64_t
integer_extra(const struct frame *frame)
{
	return frame->add + (frame->inclusive ? (int64_t)frame->format->width : 0);
}

static bool
integer_parse(struct frame *frame, const char *text, const char **why)
{
	bool added = false;
	*why = "behind the name there can be only inclusive and add=K, once each";
	while (text[0] != '\0') {
		uint64_t value;
		if (!frame->inclusive && parameter_take(&text, ",inclusive")) {
			frame->inclusive = true;
			continue;
		}
		if (added || !parameter_take(&text, ",add="))
			return false;
		bool negative = text[0] == '-';
		text += negative;
		if (!parameter_number(&text, INTEGER_ADD_MAX, &value))
			return false;
		frame->add = negative ? -(int64_t)value : (int64_t)value;
		added = true;
	}
	int64_t extra = integer_extra(frame);
	*why = "with such a constant there is no message that it could carry";
	return extra >= 0 ? (uint64_t)extra <= integer_top(frame) : (uint64_t)-extra <= frame->max;
}

static uint64_t
integer_load(const unsigned char *bytes, unsigned width, bool little)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < width; i++)
		value = value << 8 | bytes[little ? width - 1 - i : i];
	return value;
}

static void
integer_store(unsigned char *bytes, unsigned width, bool little, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		bytes[little ? i : width - 1 - i] = (unsigned char)(value >> 8 * i);
}

static enum frame_result
integer_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	unsigned width = frame->format->width;
	(void)ended;
	if (n < width)
		return part_more(part, width);
	uint64_t count = integer_load(bytes, width, frame->format->little), length;
	int64_t extra = integer_extra(frame);
	if (extra < 0) {
		uint64_t less = (uint64_t)-extra;
		length = count > UINT64_MAX - less ? UINT64_MAX : count + less;
	} else if (count < (uint64_t)extra) {
		return part_bad(part, 0, "less than the constants in the count");
	} else {
		length = count - (uint64_t)extra;
	}
	if (length > frame->max)
		return part_bad(part, 0, PART_TOO_LONG);
	size_t total = size_add((size_t)length, width);
	if (n < total)
		return part_more(part, total);
	return part_done(part, bytes + width, (size_t)length, total);
}

static size_t
integer_bound(const struct frame *frame, size_t length)
{
	return size_add(length, frame->format->width);
}

static size_t
integer_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	unsigned width = frame->format->width;
	uint64_t top = integer_top(frame), count = length;
	int64_t extra = integer_extra(frame);
	(void)about;
	if (extra < 0) {
		uint64_t less = (uint64_t)-extra;
		if (count < less)
			return part_refuse(refusal, "less than the length field can say", SIZE_MAX);
		count -= less;
		if (count > top)
			return part_refuse(refusal, "more than the length field can say",
				(size_t)(top + less));
	} else {
		if (count > top - (uint64_t)extra)
			return part_refuse(refusal, "more than the length field can say",
				(size_t)(top - (uint64_t)extra));
		count += (uint64_t)extra;
	}
	integer_store(out, width, frame->format->little, count);
	memcpy(out + width, message, length);
	return length + width;
}

#define INTEGER_ROW(word, bytes, least_first, text) \
	const struct frame_format integer_##word = { \
		.name = #word, \
		.usage = #word "[,inclusive][,add=K]", \
		.layout = "the length as an integer of " text ", then the bytes", \
		.cannot = "more than the integer can say", \
		.width = (bytes), \
		.little = (least_first), \
		.parse = integer_parse, \
		.decode = integer_decode, \
		.bound = integer_bound, \
		.encode = integer_encode, \
	}

INTEGER_ROW(u8, 1, false, "1 byte");
INTEGER_ROW(u16be, 2, false, "2 bytes, most significant first");
INTEGER_ROW(u16le, 2, true, "2 bytes, least significant first");
INTEGER_ROW(u32be, 4, false, "4 bytes, most significant first");
INTEGER_ROW(u32le, 4, true, "4 bytes, least significant first");
INTEGER_ROW(u64be, 8, false, "8 bytes, most significant first");
INTEGER_ROW(u64le, 8, true, "8 bytes, least significant first");
