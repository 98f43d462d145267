/* Feeding frame decoders; see framing.h. */
#include "framing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
framing_allocate(void *old, size_t size)
{
	void *block = realloc(old, size > 0 ? size : 1);
	if (block == NULL)
		abort();
	return block;
}

/* The contract that a call with n bytes broke, or NULL. */
static const char *
framing_check(const struct frame *frame, enum frame_result result, const unsigned char *bytes,
	size_t n, const struct frame_part *part, size_t wanted)
{
	size_t limit = frame_limit(frame);
	switch (result) {
	case FRAME_MORE:
		if (n >= limit)
			return "more than the limit is wanted";
		if (part->scanned > n)
			return "scanned more than there is";
		return part->wanted == 0 || part->wanted > n ? NULL : "wants what it has";
	case FRAME_NONE:
		return part->consumed > 0 && part->consumed <= n ? NULL : "took a wrong number";
	case FRAME_BAD:
		return part->offset <= n && part->why != NULL ? NULL : "bad outside of the bytes";
	case FRAME_DONE:
		if ((part->consumed == 0 && !frame->format->whole) || part->consumed > n)
			return "consumed a wrong number";
		if (part->consumed > limit)
			return "a frame of more than the limit";
		if (part->consumed < wanted && !frame->short_last)
			return "wanted more than it needs";
		if (part->length > frame->max)
			return "a message of more than the most";
		if (part->message < bytes || part->message > bytes + part->consumed ||
			part->length > (size_t)(bytes + part->consumed - part->message))
			return "a message outside of its frame";
		return NULL;
	}
	return "no such result";
}

static void
framing_keep(struct framing *framing, const unsigned char *bytes, size_t length)
{
	framing->messages = framing_allocate(
		framing->messages, (framing->count + 1) * sizeof *framing->messages);
	struct framing_message *message = &framing->messages[framing->count++];
	message->bytes = framing_allocate(NULL, length);
	message->length = length;
	memcpy(message->bytes, bytes, length);
}

/* Calls the decoder for the bytes from *at on; true if another call without more bytes makes
 * sense. */
static bool
framing_step(struct framing *framing, const struct frame *frame, const unsigned char *in,
	size_t *at, size_t n, bool ended, struct frame_part *part)
{
	size_t wanted = part->wanted;
	unsigned char *bytes = framing_allocate(NULL, n - *at);
	memcpy(bytes, in + *at, n - *at);
	part->ended = ended;
	enum frame_result result = frame->format->decode(frame, bytes, n - *at, part);
	const char *broken = framing_check(frame, result, bytes, n - *at, part, wanted);
	if (result == FRAME_MORE && memcmp(bytes, in + *at, n - *at) != 0)
		broken = "bytes of a frame that is not whole were changed";
	if (broken != NULL)
		framing->broken = broken;
	if (broken == NULL && result == FRAME_DONE)
		framing_keep(framing, part->message, part->length);
	free(bytes);
	if (result == FRAME_BAD) {
		framing->end = FRAMING_BAD;
		framing->early = !ended;
		framing->offset = *at + part->offset;
		framing->why = part->why;
	}
	if (broken != NULL || (result != FRAME_DONE && result != FRAME_NONE))
		return false;
	*at += part->consumed;
	part->scanned = part->state = part->wanted = 0;
	return *at < n;
}

void
framing_decode(struct framing *framing, const struct frame *frame, const unsigned char *in,
	size_t n, const size_t *cuts, size_t count, bool late)
{
	/* Only the documented fields are zero. */
	struct frame_part part = { .consumed = 4711, .length = 4711 };
	size_t at = 0;
	*framing = (struct framing){ .end = FRAMING_WHOLE };
	for (size_t piece = 0; piece <= count + late; piece++) {
		size_t have = piece < count ? cuts[piece] : n;
		bool ended = piece == count + late;
		while (framing->end != FRAMING_BAD && framing->broken == NULL && at < have &&
			framing_step(framing, frame, in, &at, have, ended, &part))
			;
	}
	if (framing->end != FRAMING_BAD && at < n) {
		framing->end = FRAMING_CUT;
		framing->offset = at;
	}
}

void
framing_clear(struct framing *framing)
{
	for (size_t i = 0; i < framing->count; i++)
		free(framing->messages[i].bytes);
	free(framing->messages);
	*framing = (struct framing){ .end = FRAMING_WHOLE };
}

bool
framing_same(const struct framing *a, const struct framing *b)
{
	if (a->count != b->count || a->end != b->end || a->offset != b->offset ||
		a->why != b->why || a->broken != NULL || b->broken != NULL)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->messages[i].length != b->messages[i].length ||
			memcmp(a->messages[i].bytes, b->messages[i].bytes, a->messages[i].length) !=
				0)
			return false;
	return true;
}

char *
framing_text(const struct framing *framing)
{
	size_t size = 64;
	for (size_t i = 0; i < framing->count; i++)
		size += 4 * framing->messages[i].length + 2;
	char *text = framing_allocate(NULL, size), *to = text;
	for (size_t i = 0; i < framing->count; i++) {
		*to++ = '[';
		for (size_t j = 0; j < framing->messages[i].length; j++) {
			unsigned char byte = framing->messages[i].bytes[j];
			if (byte < 0x20 || byte > 0x7e || strchr("[]\\", byte) != NULL)
				to += snprintf(to, 5, "\\x%02x", byte);
			else
				*to++ = (char)byte;
		}
		*to++ = ']';
	}
	size = (size_t)(text + size - to);
	if (framing->broken != NULL)
		(void)snprintf(to, size, "broken: %s", framing->broken);
	else if (framing->end == FRAMING_WHOLE)
		*to = '\0';
	else
		(void)snprintf(to, size, "%s@%zu", framing->end == FRAMING_CUT ? "cut" : "bad",
			framing->offset);
	return text;
}

unsigned char *
framing_encode(const struct frame *frame, const unsigned char *message, size_t length, size_t *size,
	struct frame_refusal *refusal)
{
	static const struct frame_about about = { { 1795601448, 123456789 }, "stdin" };
	struct frame_growth growth = frame_growth(frame);
	size_t bound = frame_bound(&growth, length);
	unsigned char *out = framing_allocate(NULL, bound);
	*size = frame->format->encode(frame, message, length, &about, out, refusal);
	if (*size == SIZE_MAX) {
		free(out);
		return NULL;
	}
	if (*size > bound)
		abort();
	return out;
}
