/* Messages with their length as LEB128, seven bits a byte, least significant first: before them, as
 * delimited Protocol Buffers, or after their header, as in MQTT. */
#include "frame/formats.h"

#include <stdio.h>
#include <string.h>

#include "frame/part.h"

/* The most bytes: 64 bits, seven a byte. */
#define VARINT_MAX 10

static bool
varint_parse(struct frame *frame, const char *text, const char **why)
{
	*why = "only ,offset=N may follow";
	return text[0] == '\0' || (part_take_header(frame, &text, why) && text[0] == '\0');
}

static enum frame_result
varint_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	uint64_t length = 0;
	size_t width = 0, header = frame->header;
	bool more = true;
	while (more) {
		if (n <= header + width)
			return part_more(part, header + width + 1);
		unsigned char byte = bytes[header + width];
		more = byte >= 0x80;
		/* The last byte has one bit. */
		if (width == VARINT_MAX - 1 && byte > 1)
			return part_bad(part, header + width, "a length of more than 64 bits");
		if (width > 0 && byte == 0)
			return part_bad(part, header + width, "a length with needless bytes");
		length |= (uint64_t)(byte & 0x7f) << 7 * width;
		/* At least one later byte is not zero. */
		uint64_t least = more ? length + (UINT64_C(1) << 7 * (width + 1)) : length;
		if (least > part_room(frame))
			return part_bad(part, header + width, PART_TOO_LONG);
		width++;
	}
	return part_field(frame, part, bytes, n, width, header + (size_t)length);
}

static bool
varint_describe(
	const struct frame *frame, const unsigned char *bytes, size_t n, char *text, size_t size)
{
	const unsigned char *field = bytes + frame->header;
	uint64_t value = 0;
	size_t width = 0;
	do {
		if (n <= frame->header + width || width == VARINT_MAX - 1)
			return false;
		value |= (uint64_t)(field[width] & 0x7f) << 7 * width;
	} while (field[width++] >= 0x80);
	if (value <= part_room(frame))
		return false;
	part_describe(value, field, width, text, size);
	size_t used = strlen(text);
	(void)snprintf(text + used, size - used, " is " PART_TOO_LONG);
	return true;
}

static size_t
varint_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t header = frame->header, at = header;
	(void)about;
	if (length < header)
		return part_refuse(refusal, PART_TOO_SHORT, SIZE_MAX);
	uint64_t rest = length - header;
	memcpy(out, message, header);
	for (; rest >= 0x80; rest >>= 7)
		out[at++] = (unsigned char)(rest | 0x80);
	out[at++] = (unsigned char)rest;
	memcpy(out + at, message + header, length - header);
	return at + length - header;
}

const struct frame_format varint_format = {
	.name = "varint",
	.usage = "varint[,offset=N]",
	.layout = "the length as LEB128 (delimited protobuf messages), then the bytes",
	.cannot = "",
	.parse = varint_parse,
	.decode = varint_decode,
	.describe = varint_describe,
	.growth = { .per = 1, .times = 1, .plus = VARINT_MAX },
	.encode = varint_encode,
};
