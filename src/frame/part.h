/* The answers of decoders and encoders, in one statement each. */
#ifndef SOCKCAT_FRAME_PART_H
#define SOCKCAT_FRAME_PART_H

#include "frame/frame.h"

#define PART_TOO_LONG "longer than --max-message"

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

#endif
