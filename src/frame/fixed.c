/* Messages of one fixed length. */
#include "frame/formats.h"

#include <string.h>

#include "frame/parameter.h"
#include "frame/part.h"

static bool
fixed_parse(struct frame *frame, const char *text, const char **why)
{
	uint64_t size, pad;
	*why = "expected fixed:N, N from 1 to --max-message";
	if (!parameter_take(&text, ":") || !parameter_number(&text, frame->max, &size, why) ||
		size == 0)
		return false;
	frame->size = (size_t)size;
	if (text[0] == '\0')
		return true;
	*why = "only ,pad=0xHH may follow the length";
	if (!parameter_take(&text, ",pad=") || !parameter_number(&text, 0xff, &pad, why))
		return false;
	frame->padded = true;
	frame->pad = (unsigned char)pad;
	return text[0] == '\0';
}

static enum frame_result
fixed_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t size = frame->size;
	if (n < size) {
		if (!part->ended || !frame->short_last)
			return part_more(part, size);
		size = n;
	}
	return part_done(part, bytes, size, size);
}

static size_t
fixed_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)about;
	if (length > frame->size)
		return part_refuse(refusal, "not the fixed length", frame->size);
	if (length < frame->size && !frame->padded && !frame->short_last)
		return part_refuse(refusal, "not the fixed length", SIZE_MAX);
	memcpy(out, message, length);
	if (!frame->padded)
		return length;
	memset(out + length, frame->pad, frame->size - length);
	return frame->size;
}

const struct frame_format fixed_format = {
	.name = "fixed",
	.usage = "fixed:N[,pad=0xHH]",
	.layout = "exactly N bytes; with pad=0xHH shorter messages are filled up",
	.cannot = "other lengths",
	.parse = fixed_parse,
	.decode = fixed_decode,
	.growth = { .per = 1 },
	.encode = fixed_encode,
};
