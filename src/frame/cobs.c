/* Consistent overhead byte stuffing; see cobs.h. */
#include "frame/cobs.h"

#include <string.h>

#include "frame/ending.h"
#include "frame/part.h"
#include "frame/size.h"

/* A code n stands for the n - 1 bytes behind it and a NUL; this one for 254 bytes and no NUL. */
#define COBS_FULL 255

static const unsigned char cobs_ending[] = { 0 };

static enum frame_result
cobs_undo(const struct frame *frame, unsigned char *bytes, struct frame_part *part)
{
	size_t put = 0;
	for (size_t i = 0; i < part->length;) {
		size_t code = bytes[i];
		if (code > part->length - i)
			return part_bad(part, i, "a COBS code that reaches beyond the end");
		/* The NUL of the last code is not part of the message. */
		size_t nul = code < COBS_FULL && code < part->length - i;
		if (code - 1 + nul > frame->max - put)
			return part_bad(part, i, PART_TOO_LONG);
		memmove(bytes + put, bytes + i + 1, code - 1);
		put += code - 1;
		if (nul != 0)
			bytes[put++] = 0;
		i += code;
	}
	part->length = put;
	return FRAME_DONE;
}

static size_t
cobs_size(size_t length)
{
	return size_add(length, length / (COBS_FULL - 1) + 1);
}

static enum frame_result
cobs_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	const struct ending ending = {
		.text = cobs_ending,
		.size = sizeof cobs_ending,
		.limit = cobs_size(frame->max),
		.why = PART_TOO_LONG,
	};
	size_t between = 0;
	while (between < n && bytes[between] == 0)
		between++;
	if (between > 0)
		return part_none(part, between);
	enum frame_result result = ending_seek(&ending, bytes, n, ended, part);
	return result == FRAME_DONE ? cobs_undo(frame, bytes, part) : result;
}

static size_t
cobs_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(cobs_size(length), 1);
}

static size_t
cobs_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t put = 0, i = 0;
	(void)frame;
	(void)about;
	(void)refusal;
	/* A full block at the very end needs no empty one behind it. */
	do {
		size_t run = length - i < COBS_FULL - 1 ? length - i : COBS_FULL - 1;
		const unsigned char *nul = run > 0 ? memchr(message + i, 0, run) : NULL;
		if (nul != NULL)
			run = (size_t)(nul - (message + i));
		out[put++] = (unsigned char)(run + 1);
		memcpy(out + put, message + i, run);
		put += run;
		i += run;
		if (nul != NULL && ++i == length)
			out[put++] = 1;
	} while (i < length);
	out[put++] = 0;
	return put;
}

const struct frame_format cobs_format = {
	.name = "cobs",
	.usage = "cobs",
	.layout = "COBS, then NUL",
	.cannot = "",
	.decode = cobs_decode,
	.bound = cobs_bound,
	.encode = cobs_encode,
};
