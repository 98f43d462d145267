/* Return statements of decoders and encoders. */
#ifndef SOCKCAT_FRAME_PART_H
#define SOCKCAT_FRAME_PART_H

#include <string.h>

#include "frame/frame.h"

#define PART_TOO_LONG "longer than --max-message"
#define PART_TOO_SHORT "fewer bytes than the header before the length"

static inline enum frame_result
part_bad(struct frame_part *part, size_t offset, const char *why)
{
	part->offset = offset;
	part->why = why;
	return FRAME_BAD;
}

static inline enum frame_result
part_more(struct frame_part *part, size_t wanted)
{
	part->wanted = wanted;
	return FRAME_MORE;
}

static inline enum frame_result
part_none(struct frame_part *part, size_t consumed)
{
	part->consumed = consumed;
	return FRAME_NONE;
}

static inline enum frame_result
part_done(struct frame_part *part, unsigned char *message, size_t length, size_t consumed)
{
	part->message = message;
	part->length = length;
	part->consumed = consumed;
	return FRAME_DONE;
}

static inline size_t
part_refuse(struct frame_refusal *refusal, const char *why, size_t fits)
{
	*refusal = (struct frame_refusal){ why, fits };
	return SIZE_MAX;
}

/* The longest message without the header before its length field. */
static inline size_t
part_room(const struct frame *frame)
{
	return frame->max - frame->header;
}

/* Writes "length VALUE (HEX OF THE BYTES)". */
void part_describe(
	uint64_t value, const unsigned char *bytes, size_t width, char *text, size_t size);

/* Parses ",offset=N". False if it is something else, or with another *why if it is too large. */
bool part_take_header(struct frame *frame, const char **text, const char **why);

/* The result for n bytes of a frame with a message of `length` bytes, its header among them, and a
 * length field of `width` bytes. */
static inline enum frame_result
part_field(const struct frame *frame, struct frame_part *part, unsigned char *bytes, size_t n,
	size_t width, size_t length)
{
	size_t total = size_add(length, width);
	if (n < total)
		return part_more(part, total);
	/* The message is contiguous: the header moves over the field. */
	if (frame->header > 0)
		memmove(bytes + width, bytes, frame->header);
	return part_done(part, bytes + width, length, total);
}

#endif
