/* Messages with a length field, an integer of fixed width, before them or after their header. Its
 * value is the number of bytes after it. */
#include "frame/formats.h"

#include <stdio.h>
#include <string.h>

#include "frame/parameter.h"
#include "frame/part.h"

/* The largest absolute value of add=K, so that sums cannot overflow. */
#define INTEGER_ADD_MAX (UINT64_MAX >> 2)

/* Sets how the field counts, and which messages. False: none fits. */
static bool
integer_count(struct frame *frame)
{
	unsigned width = frame->format->width;
	int64_t extra = frame->add + (frame->inclusive ? (int64_t)width : 0);
	/* The field is the number of bytes after it, plus `more` or minus `less`; one is 0. */
	uint64_t more = extra > 0 ? (uint64_t)extra : 0, less = more - (uint64_t)extra;
	uint64_t top = UINT64_MAX >> (64 - 8 * width), room = top - more;
	frame->shift = frame->header - (uint64_t)extra;
	frame->least = frame->header + less;
	frame->most = room < UINT64_MAX - frame->least ? frame->least + room : UINT64_MAX;
	return more <= top && less <= part_room(frame);
}

static bool
integer_parse(struct frame *frame, const char *text, const char **why)
{
	bool added = false;
	*why = "only ,inclusive, ,add=K and ,offset=N may follow, once each";
	while (text[0] != '\0') {
		uint64_t value;
		if (!frame->inclusive && parameter_take(&text, ",inclusive")) {
			frame->inclusive = true;
			continue;
		}
		if (frame->header == 0 && part_take_header(frame, &text, why))
			continue;
		if (added || !parameter_take(&text, ",add="))
			return false;
		bool negative = text[0] == '-';
		text += negative;
		if (!parameter_number(&text, INTEGER_ADD_MAX, &value, why))
			return false;
		frame->add = negative ? -(int64_t)value : (int64_t)value;
		added = true;
	}
	*why = "no message fits with this constant";
	return integer_count(frame);
}

static uint64_t
integer_load(const unsigned char *bytes, unsigned width, bool little)
{
	uint64_t value = 0;
	size_t at = little ? width - 1 : 0, step = little ? SIZE_MAX : 1;
	for (; width > 0; width--, at += step)
		value = value << 8 | bytes[at];
	return value;
}

static void
integer_store(unsigned char *bytes, unsigned width, bool little, uint64_t value)
{
	size_t at = little ? 0 : width - 1, step = little ? 1 : SIZE_MAX;
	for (; width > 0; width--, at += step, value >>= 8)
		bytes[at] = (unsigned char)value;
}

/* The range of valid length fields. */
static void
integer_range(const struct frame *frame, uint64_t *low, uint64_t *high)
{
	*low = frame->least - frame->shift;
	*high = (frame->most < frame->max ? frame->most : frame->max) - frame->shift;
}

/* The first of the n bytes of a length field after which it is out of range, whatever follows; n:
 * none. */
static size_t
integer_scan(const struct frame *frame, const unsigned char *bytes, size_t n, const char **why)
{
	unsigned width = frame->format->width;
	bool little = frame->format->little;
	uint64_t low, high;
	integer_range(frame, &low, &high);
	for (unsigned i = 1; i <= width && i <= n; i++) {
		unsigned open = 8 * (width - i);
		uint64_t known = integer_load(bytes, i, little), least;
		if (!little) {
			uint64_t rest = (UINT64_C(1) << open) - 1;
			known <<= open;
			least = known >= low ? known : known + rest >= low ? low : UINT64_MAX;
		} else if (open == 0) {
			least = known >= low ? known : UINT64_MAX;
		} else {
			/* The remaining bytes add a multiple of this. */
			uint64_t step = UINT64_C(1) << 8 * i;
			uint64_t less = known < low ? low - known : 0;
			least = known + (less / step + (less % step != 0)) * step;
		}
		*why = known >= low          ? PART_TOO_LONG
			: little && open > 0 ? "an impossible length"
					     : "a length below that of an empty message";
		if (least > high)
			return i - 1;
	}
	return n;
}

/* The length field is incomplete, or invalid. */
static enum frame_result
integer_reject(
	const struct frame *frame, const unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t width = frame->format->width;
	size_t there = n > frame->header ? n - frame->header : 0;
	const char *why = NULL;
	size_t bad = integer_scan(frame, bytes + frame->header, there, &why);
	if (bad < there && bad < width)
		return part_bad(part, frame->header + bad, why);
	return part_more(part, frame->header + width);
}

static enum frame_result
integer_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	unsigned width = frame->format->width;
	if (n < frame->header + width)
		return integer_reject(frame, bytes, n, part);
	const unsigned char *field = bytes + frame->header;
	uint64_t length = integer_load(field, width, frame->format->little) + frame->shift;
	if (length < frame->least || length > frame->most || length > frame->max)
		return integer_reject(frame, bytes, n, part);
	return part_field(frame, part, bytes, n, width, (size_t)length);
}

static bool
integer_describe(
	const struct frame *frame, const unsigned char *bytes, size_t n, char *text, size_t size)
{
	unsigned width = frame->format->width;
	bool little = frame->format->little;
	uint64_t low, high;
	if (n < frame->header + width)
		return false;
	const unsigned char *field = bytes + frame->header;
	uint64_t value = integer_load(field, width, little);
	uint64_t other = integer_load(field, width, !little);
	integer_range(frame, &low, &high);
	if (value >= low && value <= high)
		return false;
	part_describe(value, field, width, text, size);
	size_t used = strlen(text);
	(void)snprintf(text + used, size - used, " is %s%s",
		value > high ? PART_TOO_LONG : "below that of an empty message",
		other < low || other > high ? ""
			: little            ? "; big-endian?"
					    : "; little-endian?");
	return true;
}

static size_t
integer_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	unsigned width = frame->format->width;
	size_t header = frame->header;
	(void)about;
	if (length < frame->least)
		return part_refuse(refusal,
			length < header ? PART_TOO_SHORT
					: "fewer bytes than the length field can count",
			SIZE_MAX);
	if (length > frame->most)
		return part_refuse(
			refusal, "more bytes than the length field can count", (size_t)frame->most);
	if (header > 0)
		memcpy(out, message, header);
	integer_store(out + header, width, frame->format->little, length - frame->shift);
	memcpy(out + header + width, message + header, length - header);
	return length + width;
}

#define INTEGER_ROW(word, bytes, least_first, text) \
	const struct frame_format integer_##word = { \
		.name = #word, \
		.usage = #word "[,inclusive][,add=K][,offset=N]", \
		.layout = "the length as an integer of " text ", then the bytes", \
		.cannot = "more bytes than the integer can count", \
		.width = (bytes), \
		.little = (least_first), \
		.parse = integer_parse, \
		.decode = integer_decode, \
		.describe = integer_describe, \
		.growth = { .per = 1, .times = 1 }, \
		.encode = integer_encode, \
	}

INTEGER_ROW(u8, 1, false, "1 byte");
INTEGER_ROW(u16be, 2, false, "2 bytes, most significant first");
INTEGER_ROW(u16le, 2, true, "2 bytes, least significant first");
INTEGER_ROW(u24be, 3, false, "3 bytes, most significant first");
INTEGER_ROW(u24le, 3, true, "3 bytes, least significant first");
INTEGER_ROW(u32be, 4, false, "4 bytes, most significant first");
INTEGER_ROW(u32le, 4, true, "4 bytes, least significant first");
INTEGER_ROW(u64be, 8, false, "8 bytes, most significant first");
INTEGER_ROW(u64le, 8, true, "8 bytes, least significant first");
