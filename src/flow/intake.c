/* Bytes in which messages are found; see intake.h. */
#include "flow/intake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *
intake_name(const struct stream *source)
{
	return source->from != NULL ? source->from : source->name;
}

bool
intake_open(
	struct intake *intake, const struct stream *source, const struct frame *decode, size_t size)
{
	*intake = (struct intake){
		.decode = decode,
		.source = intake_name(source),
		.keeps = source->rmessages,
		.bytes = malloc(size),
		.size = size,
		.piece = size,
	};
	return intake->bytes != NULL;
}

void
intake_close(struct intake *intake)
{
	free(intake->bytes);
	intake->bytes = NULL;
}

bool
intake_rest(struct intake *intake)
{
	if (intake_left(intake) > 0 || intake->found)
		return false;
	free(intake->bytes);
	intake->bytes = NULL;
	intake->start = intake->end = 0;
	intake->size = intake->piece;
	return true;
}

/* Has a buffer again. */
static bool
intake_rise(struct intake *intake, const struct stream *source, struct fault *fault)
{
	if (intake->bytes == NULL)
		intake->bytes = malloc(intake->size);
	return intake->bytes != NULL ||
		fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", intake_name(source));
}

static bool
intake_fail(const struct intake *intake, enum status status, const char *why, size_t offset,
	struct fault *fault)
{
	return fault_set(fault, status, 0,
		"receive from %s: message %" PRIu64 ", byte %" PRIu64 ": %s", intake->source,
		intake->consumed + 1, intake->offset + offset, why);
}

/* What was read in one piece, or given as one, is a message as it is. */
static bool
intake_is_whole(const struct intake *intake)
{
	return intake->decode == NULL || (intake->keeps && intake->decode->format->whole);
}

/* Room behind what is there for the rest of a frame. */
static bool
intake_grow(struct intake *intake, struct fault *fault)
{
	size_t held = intake->end - intake->start, wanted = intake->part.wanted;
	size_t limit = frame_limit(intake->decode);
	if (intake->start > 0)
		memmove(intake->bytes, intake->bytes + intake->start, held);
	intake->start = 0;
	intake->end = held;
	if (held < intake->size && wanted <= intake->size)
		return true;
	size_t size = intake->size <= SIZE_MAX / 2 ? intake->size * 2 : SIZE_MAX;
	size = wanted > intake->size ? wanted : size < limit ? size : limit;
	if (size <= held)
		return intake_fail(
			intake, STATUS_FRAMING, "it is longer than --max-message", held, fault);
	unsigned char *larger = realloc(intake->bytes, size);
	if (larger == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "message %" PRIu64 " from %s",
			intake->consumed + 1, intake->source);
	intake->bytes = larger;
	intake->size = size;
	return true;
}

enum io
intake_read(struct intake *intake, struct stream *source, struct fault *fault)
{
	size_t got = 0;
	if (!intake_rise(intake, source, fault))
		return IO_FAIL;
	if (intake->keeps || intake_is_whole(intake))
		intake->start = intake->end = 0;
	else if (!intake_grow(intake, fault))
		return IO_FAIL;
	/* There the room is a guess, and what is not read into costs no memory. */
	size_t room = intake->size - intake->end;
	if (intake->part.wanted == 0 && room > intake->piece)
		room = intake->piece;
	struct iovec space = { intake->bytes + intake->end, room };
	enum io result = source->ops->read(source, &space, 1, &got, fault);
	if (result == IO_END) {
		intake->ended = true;
		intake->open = intake->start < intake->end;
		return intake->open ? IO_OK : IO_END;
	}
	if (result != IO_OK)
		return result;
	intake->source = intake_name(source);
	if (intake->keeps) {
		intake->single = (struct iovec){ intake->bytes, got };
		intake->given = source->messages != NULL ? source->messages : &intake->single;
		intake->given_count = source->messages != NULL ? source->message_count : 1;
	} else {
		intake->end += got;
		intake->open = got > 0;
	}
	return IO_OK;
}

/* Goes on with the next message that the source gave. */
static bool
intake_next_given(struct intake *intake)
{
	if (intake->given_count == 0)
		return false;
	intake->start = (size_t)((unsigned char *)intake->given->iov_base - intake->bytes);
	intake->end = intake->start + intake->given->iov_len;
	intake->given++;
	intake->given_count--;
	/* With a format inside it, a message of nothing has none. */
	intake->open = intake_is_whole(intake) || intake->start < intake->end;
	return true;
}

void
intake_consume(struct intake *intake)
{
	intake->start += intake->part.consumed;
	intake->offset += intake->part.consumed;
	intake->consumed += intake->found;
	intake->open = intake->start < intake->end;
	intake->found = false;
	intake->part = (struct frame_part){ .scanned = 0 };
}

bool
intake_find(struct intake *intake, struct fault *fault)
{
	struct frame_part *part = &intake->part;
	bool last = intake->ended || intake->keeps;
	while (!intake->found) {
		if (!intake->open && !intake_next_given(intake))
			return false;
		if (!intake->open)
			continue;
		unsigned char *bytes = intake->bytes + intake->start;
		size_t n = intake->end - intake->start;
		if (intake->decode == NULL) {
			*part = (struct frame_part){ .message = bytes, .length = n, .consumed = n };
			intake->found = true;
			break;
		}
		switch (intake->decode->format->decode(intake->decode, bytes, n, last, part)) {
		case FRAME_DONE:
			/* It may have been made in place of its frame: it is never looked for
			 * again. */
			intake->found = true;
			break;
		case FRAME_NONE:
			intake_consume(intake);
			break;
		case FRAME_MORE:
			intake->open = false;
			if (last)
				return intake_fail(
					intake, STATUS_CUT, "it is cut off there", n, fault);
			return false;
		case FRAME_BAD:
			return intake_fail(intake, STATUS_FRAMING, part->why, part->offset, fault);
		}
	}
	return true;
}

size_t
intake_left(const struct intake *intake)
{
	size_t left = intake->end - intake->start;
	for (size_t i = 0; i < intake->given_count; i++)
		left += intake->given[i].iov_len;
	return left;
}
