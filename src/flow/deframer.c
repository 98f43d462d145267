/* Messages in the bytes of a source; see deframer.h. */
#include "flow/deframer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The longest description of a length field. */
#define DEFRAMER_TEXT 128

bool
deframer_open(struct deframer *deframer, const struct stream *source, const struct frame *decode,
	size_t size)
{
	*deframer = (struct deframer){
		.decode = decode,
		.source = stream_sender(source),
		.keeps = source->caps.messages,
		.bytes = malloc(size),
		.size = size,
		.piece = size,
	};
	return deframer->bytes != NULL;
}

void
deframer_close(struct deframer *deframer)
{
	free(deframer->bytes);
	deframer->bytes = NULL;
}

bool
deframer_rest(struct deframer *deframer)
{
	if (deframer_left(deframer) > 0 || deframer->found)
		return false;
	free(deframer->bytes);
	deframer->bytes = NULL;
	deframer->start = deframer->end = 0;
	deframer->size = deframer->piece;
	return true;
}

/* Allocates the buffer again after deframer_rest. */
static bool
deframer_rise(struct deframer *deframer, const struct stream *source, struct fault *fault)
{
	if (deframer->bytes == NULL)
		deframer->bytes = malloc(deframer->size);
	return deframer->bytes != NULL ||
		fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", stream_sender(source));
}

static bool
deframer_fail(const struct deframer *deframer, enum status status, const char *why, size_t offset,
	struct fault *fault)
{
	return fault_set(fault, status, 0,
		"receive from %s: message %" PRIu64 ", byte %" PRIu64 ": %s", deframer->source,
		deframer->consumed + 1, deframer->offset + offset, why);
}

/* For FRAME_BAD. */
static bool
deframer_reject(
	const struct deframer *deframer, const unsigned char *bytes, size_t n, struct fault *fault)
{
	const struct frame_part *part = &deframer->part;
	const struct frame *decode = deframer->decode;
	char text[DEFRAMER_TEXT];
	bool described = decode->format->describe != NULL &&
		decode->format->describe(decode, bytes, n, text, sizeof text);
	return deframer_fail(
		deframer, STATUS_FRAMING, described ? text : part->why, part->offset, fault);
}

/* Whether a read, or a message of the source, is a message without decoding. */
static bool
deframer_is_whole(const struct deframer *deframer)
{
	return deframer->decode == NULL || (deframer->keeps && deframer->decode->format->whole);
}

/* Makes room for the rest of a frame. */
static bool
deframer_grow(struct deframer *deframer, struct fault *fault)
{
	size_t held = deframer->end - deframer->start, wanted = deframer->part.wanted;
	size_t limit = frame_limit(deframer->decode);
	if (deframer->start > 0)
		memmove(deframer->bytes, deframer->bytes + deframer->start, held);
	deframer->start = 0;
	deframer->end = held;
	if (held < deframer->size && wanted <= deframer->size)
		return true;
	size_t size = deframer->size <= SIZE_MAX / 2 ? deframer->size * 2 : SIZE_MAX;
	size = wanted > deframer->size ? wanted : size < limit ? size : limit;
	if (size <= held)
		return deframer_fail(
			deframer, STATUS_FRAMING, "it is longer than --max-message", held, fault);
	unsigned char *larger = realloc(deframer->bytes, size);
	if (larger == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "message %" PRIu64 " from %s",
			deframer->consumed + 1, deframer->source);
	deframer->bytes = larger;
	deframer->size = size;
	return true;
}

/* Makes room for a message that is larger than all before. The buffer is empty. */
static bool
deframer_widen(struct deframer *deframer, size_t size, struct fault *fault)
{
	free(deframer->bytes);
	deframer->bytes = malloc(size);
	if (deframer->bytes == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "message %" PRIu64 " from %s",
			deframer->consumed + 1, deframer->source);
	deframer->size = size;
	return true;
}

enum io
deframer_read(struct deframer *deframer, struct stream *source, struct fault *fault)
{
	size_t got = 0;
	if (!deframer_rise(deframer, source, fault))
		return IO_FAIL;
	if (deframer->keeps || deframer_is_whole(deframer))
		deframer->start = deframer->end = 0;
	else if (!deframer_grow(deframer, fault))
		return IO_FAIL;
	/* The length of the frame is not known yet: unused pages of the buffer cost no memory. */
	size_t room = deframer->size - deframer->end;
	if (!deframer->keeps && deframer->part.wanted == 0 && room > deframer->piece)
		room = deframer->piece;
	struct iovec space = { deframer->bytes + deframer->end, room };
	enum io result = stream_read(source, &space, 1, &got, fault);
	while (result == IO_AGAIN && source->loan.needs > space.iov_len) {
		if (!deframer_widen(deframer, source->loan.needs, fault))
			return IO_FAIL;
		space = (struct iovec){ deframer->bytes, deframer->size };
		result = stream_read(source, &space, 1, &got, fault);
	}
	if (result == IO_END) {
		deframer->ended = true;
		deframer->open = deframer->start < deframer->end;
		return deframer->open ? IO_OK : IO_END;
	}
	if (result != IO_OK)
		return result;
	deframer->source = stream_sender(source);
	if (deframer->keeps) {
		deframer->single = (struct iovec){ deframer->bytes, got };
		deframer->given =
			source->loan.messages != NULL ? source->loan.messages : &deframer->single;
		deframer->given_count = source->loan.messages != NULL ? source->loan.count : 1;
	} else {
		deframer->end += got;
		deframer->open = got > 0;
	}
	return IO_OK;
}

/* Continues with the next message of the source. */
static bool
deframer_next_given(struct deframer *deframer)
{
	if (deframer->given_count == 0)
		return false;
	deframer->start = (size_t)((unsigned char *)deframer->given->iov_base - deframer->bytes);
	deframer->end = deframer->start + deframer->given->iov_len;
	deframer->given++;
	deframer->given_count--;
	/* An empty message has no frame in it. */
	deframer->open = deframer_is_whole(deframer) || deframer->start < deframer->end;
	return true;
}

bool
deframer_find(struct deframer *deframer, struct fault *fault)
{
	struct frame_part *part = &deframer->part;
	bool last = deframer->ended || deframer->keeps;
	while (!deframer->found) {
		if (!deframer->open && !deframer_next_given(deframer))
			return false;
		if (!deframer->open)
			continue;
		unsigned char *bytes = deframer->bytes + deframer->start;
		size_t n = deframer->end - deframer->start;
		if (deframer->decode == NULL) {
			*part = (struct frame_part){ .message = bytes, .length = n, .consumed = n };
			deframer->found = true;
			break;
		}
		part->ended = last;
		switch (deframer->decode->format->decode(deframer->decode, bytes, n, part)) {
		case FRAME_DONE:
			/* Decoding may have overwritten the frame: never decode it again. */
			deframer->found = true;
			break;
		case FRAME_NONE:
			deframer_consume(deframer);
			break;
		case FRAME_MORE:
			deframer->open = false;
			if (last)
				return deframer_fail(
					deframer, STATUS_CUT, "it is cut off there", n, fault);
			return false;
		case FRAME_BAD:
			return deframer_reject(deframer, bytes, n, fault);
		}
	}
	return true;
}

size_t
deframer_left(const struct deframer *deframer)
{
	size_t left = deframer->end - deframer->start;
	for (size_t i = 0; i < deframer->given_count; i++)
		left += deframer->given[i].iov_len;
	return left;
}
