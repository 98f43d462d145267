/* Messages behind their length as LEB128; see varint.h. */
#include "frame/varint.h"

#include <string.h>

#include "frame/part.h"
#include "frame/size.h"

/* 64 bits, seven a byte. */
#define VARINT_MAX 10

static enum frame_result
varint_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	uint64_t length = 0;
	size_t width = 0;
	bool more = true;
	(void)ended;
	while (more) {
		if (width == n)
			return part_more(part, n + 1);
		unsigned char byte = bytes[width];
		more = byte >= 0x80;
		/* The last one has room for one bit. */
		if (width == VARINT_MAX - 1 && byte > 1)
			return part_bad(part, width, "a length of more than 64 bits");
		if (width > 0 && byte == 0)
			return part_bad(part, width, "a length that is longer than it need be");
		length |= (uint64_t)(byte & 0x7f) << 7 * width;
		width++;
	}
	if (length > frame->max)
		return part_bad(part, 0, PART_TOO_LONG);
	size_t total = size_add((size_t)length, width);
	if (n < total)
		return part_more(part, total);
	return part_done(part, bytes + width, (size_t)length, total);
}

static size_t
varint_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(length, VARINT_MAX);
}

static size_t
varint_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t width = 0;
	(void)frame;
	(void)about;
	(void)refusal;
	for (uint64_t rest = length; rest >= 0x80; rest >>= 7)
		out[width++] = (unsigned char)(rest | 0x80);
	out[width] = (unsigned char)((uint64_t)length >> 7 * width);
	width++;
	memcpy(out + width, message, length);
	return width + length;
}

const struct frame_format varint_format = {
	.name = "varint",
	.usage = "varint",
	.layout = "the length as LEB128 (delimited protobuf messages), then the bytes",
	.cannot = "",
	.decode = varint_decode,
	.bound = varint_bound,
	.encode = varint_encode,
};
