/*
 * The channel for messages. A deframer finds them in the bytes of the source. All that one read
 * completes are encoded for the sink and written as a batch, with as few calls as the sink needs.
 * The next read happens when the batch is written.
 *
 * A message is never cut, merged with another one, reordered, or delivered before it is complete.
 */
#include "flow/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/deframer.h"

/* The most messages in a batch: the most pieces of a writev(2) (IOV_MAX). */
#define FRAMED_CHANNEL_BATCH 1024

/* A batch of this size needs no memory of its own. */
#define FRAMED_CHANNEL_FEW 8

/* A read of this part of the channel's size is large: more will follow. */
#define FRAMED_CHANNEL_BULK 8

/* Bytes of encoded messages in a batch, if one does not need more. */
#define FRAMED_CHANNEL_OUT ((size_t)256 * 1024)

/* The largest message made of one read of bytes: the capacity of a pipe. */
#define FRAMED_CHANNEL_PIECE ((size_t)65536)

static const char framed_channel_large[] = "more than the socket takes";

/* Invariant: the messages of the batch are in the deframer's consumed bytes, or in `out`. */
struct framed_channel {
	struct flow_config config;
	struct deframer deframer;
	struct frame_growth growth; /* of the sink's format, if `encodes` */
	bool encodes;               /* for the sink; else messages are copied as they are */
	struct stage *transform;    /* one of the channel's; NULL: none */
	bool transform_restarts;    /* the transform starts again with each message */
	bool joins;                 /* adjacent messages may be one piece */
	unsigned char *out;         /* encoded messages; owned */
	size_t out_size, out_used;
	struct iovec few[FRAMED_CHANNEL_FEW];
	struct iovec *batch; /* few, or owned */
	size_t places;       /* the size of the batch */
	size_t next, count;  /* messages from next to count are still to be written */
	bool bulk;           /* the last read was large */
	size_t sink_max;     /* the largest message of the sink; 0: it takes bytes */
	struct fault failed; /* to report when the batch is written */
	struct frame_about about;
};

/* Whether the limit of messages has been reached. */
static bool
framed_channel_is_enough(const struct framed_channel *framed)
{
	return framed->config.most > 0 && framed->deframer.consumed >= framed->config.most;
}

static bool
framed_channel_has_room(const struct channel *channel)
{
	const struct framed_channel *framed = channel->framed;
	return framed->next == framed->count && !framed_channel_is_enough(framed);
}

static bool
framed_channel_has_data(const struct channel *channel)
{
	return channel->framed->next < channel->framed->count;
}

/* --- the batch --- */

/* Whether there is a place for one more message. Without memory the batch is smaller. */
static bool
framed_channel_has_place(struct framed_channel *framed)
{
	if (framed->count < framed->places)
		return true;
	struct iovec *larger = NULL;
	if (framed->places == FRAMED_CHANNEL_FEW)
		larger = malloc(FRAMED_CHANNEL_BATCH * sizeof *larger);
	if (larger == NULL)
		return false;
	memcpy(larger, framed->few, sizeof framed->few);
	framed->batch = larger;
	framed->places = FRAMED_CHANNEL_BATCH;
	return true;
}

/* Frees the memory of an empty batch. */
static void
framed_channel_give_back(struct framed_channel *framed)
{
	if (framed->batch != framed->few)
		free(framed->batch);
	framed->batch = framed->few;
	framed->places = FRAMED_CHANNEL_FEW;
	free(framed->out);
	framed->out = NULL;
	framed->out_size = framed->out_used = 0;
}

/* Puts n bytes at the end of the batch. */
static void
framed_channel_append(struct framed_channel *framed, unsigned char *bytes, size_t n)
{
	if (framed->sink_max == 0 && n == 0)
		return;
	if (framed->joins && framed->count > 0) {
		struct iovec *last = &framed->batch[framed->count - 1];
		if ((unsigned char *)last->iov_base + last->iov_len == bytes) {
			last->iov_len += n;
			return;
		}
	}
	framed->batch[framed->count++] = (struct iovec){ bytes, n };
}

/* Makes room for `most` more encoded bytes. False: the batch has to be written first, or there is
 * no memory. */
static bool
framed_channel_make_room(struct framed_channel *framed, size_t most)
{
	if (framed->out_size - framed->out_used >= most)
		return true;
	if (framed->count > 0)
		return false;
	if (most < FRAMED_CHANNEL_OUT)
		most = FRAMED_CHANNEL_OUT;
	unsigned char *larger = most < SIZE_MAX ? malloc(most) : NULL;
	if (larger == NULL)
		return fault_set(&framed->failed, STATUS_MEMORY, ENOMEM,
			"message %" PRIu64 " from %s", framed->deframer.consumed + 1,
			framed->deframer.source);
	free(framed->out);
	framed->out = larger;
	framed->out_size = most;
	framed->out_used = 0;
	return true;
}

/* Applies --oversize to a message that the sink's format cannot carry. True: try its first *length
 * bytes; false: it is skipped, or the fault is set. */
static bool
framed_channel_refuse(struct channel *channel, const struct frame_refusal *refusal, size_t *length)
{
	struct framed_channel *framed = channel->framed;
	char most[48] = "";
	switch (framed->config.oversize) {
	case CHANNEL_OVERSIZE_TRUNCATE:
		if (refusal->fits != SIZE_MAX && refusal->fits < *length) {
			*length = refusal->fits;
			return true;
		}
		channel->skipped++;
		return false;
	case CHANNEL_OVERSIZE_SKIP:
		channel->skipped++;
		return false;
	case CHANNEL_OVERSIZE_FAIL:
		break;
	}
	if (refusal->why == framed_channel_large)
		(void)snprintf(most, sizeof most, " (at most %zu bytes)", framed->sink_max);
	return fault_set(&framed->failed, STATUS_FRAMING, 0,
		"message %" PRIu64 " from %s: %s, which the format '%s' cannot carry%s",
		framed->deframer.consumed + 1, framed->deframer.source, refusal->why,
		framed->config.encode->format->name, most);
}

/* The longest part of a message whose frame fits into the sink; SIZE_MAX: not even an empty one. A
 * frame is never shorter than its message, and hardly ever shorter than that of a shorter one. */
static size_t
framed_channel_measure(struct framed_channel *framed, const unsigned char *bytes, size_t length)
{
	const struct frame *encode = framed->config.encode;
	unsigned char *out = framed->out + framed->out_used;
	size_t low = 0, high = length < framed->sink_max ? length : framed->sink_max + 1;
	size_t fits = SIZE_MAX;
	while (low < high) {
		struct frame_refusal refusal;
		size_t middle = low + (high - low) / 2;
		if (encode->format->encode(encode, bytes, middle, &framed->about, out, &refusal) >
			framed->sink_max) {
			high = middle;
		} else {
			fits = middle;
			low = middle + 1;
		}
	}
	return fits;
}

/* Encodes a message into `out`, which has room; returns the size. SIZE_MAX: it is skipped, or the
 * fault is set. */
static size_t
framed_channel_encode(
	struct channel *channel, const unsigned char *bytes, size_t length, unsigned char *out)
{
	struct framed_channel *framed = channel->framed;
	const struct frame *encode = framed->config.encode;
	struct frame_refusal refusal;
	const size_t whole = length;
	/* `length` decreases each time. */
	do {
		size_t n = encode->format->encode(
			encode, bytes, length, &framed->about, out, &refusal);
		if (n != SIZE_MAX && (framed->sink_max == 0 || n <= framed->sink_max)) {
			channel->truncated += length < whole;
			return n;
		}
		if (n != SIZE_MAX)
			refusal = (struct frame_refusal){ framed_channel_large,
				framed_channel_measure(framed, bytes, length) };
	} while (framed_channel_refuse(channel, &refusal, &length));
	return SIZE_MAX;
}

/* Takes one message into the batch. False: not now, or it failed. */
static bool
framed_channel_take(struct channel *channel, unsigned char *bytes, size_t length)
{
	struct framed_channel *framed = channel->framed;
	struct stage *transform = framed->transform;
	/* Room for both: the transform cannot be repeated, nor its result moved. */
	size_t longest = transform != NULL ? 2 * length : length;
	size_t most = framed->encodes ? frame_bound(&framed->growth, longest) : 0;
	if (!framed_channel_make_room(framed, transform != NULL ? size_add(most, longest) : most))
		return false;
	if (transform != NULL) {
		unsigned char *out = framed->out + framed->out_used;
		length = transform->ops->change(
			transform, bytes, length, framed->transform_restarts, out);
		bytes = out;
		framed->out_used += length;
	}
	if (framed->encodes) {
		unsigned char *out = framed->out + framed->out_used;
		length = framed_channel_encode(channel, bytes, length, out);
		if (length == SIZE_MAX)
			return !fault_is_set(&framed->failed);
		bytes = out;
		framed->out_used += length;
	} else if (framed->sink_max > 0 && length > framed->sink_max) {
		struct frame_refusal refusal = { framed_channel_large, framed->sink_max };
		if (framed->config.encode == NULL)
			return fault_set(&framed->failed, STATUS_SEND, 0,
				"send to %s: a message of %zu bytes: %s (at most %zu bytes)",
				channel->sink->name, length, strerror(EMSGSIZE), framed->sink_max);
		if (!framed_channel_refuse(channel, &refusal, &length))
			return !fault_is_set(&framed->failed);
		channel->truncated++;
	}
	framed_channel_append(framed, bytes, length);
	channel->fetched += length;
	return true;
}

/* Makes the next batch of the messages that have been read. */
static void
framed_channel_make(struct channel *channel)
{
	struct framed_channel *framed = channel->framed;
	struct deframer *deframer = &framed->deframer;
	framed->next = framed->count = framed->out_used = 0;
	while (framed_channel_has_place(framed) && !fault_is_set(&framed->failed) &&
		!framed_channel_is_enough(framed) && deframer_find(deframer, &framed->failed) &&
		framed_channel_take(channel, deframer->part.message, deframer->part.length)) {
		deframer_consume(deframer);
		channel->brought++;
	}
	channel->taken = deframer->offset;
	channel->part = framed_channel_is_enough(framed) ? 0 : deframer_left(deframer);
	channel->ready = fault_is_set(&framed->failed) || deframer->ended;
}

static enum io
framed_channel_fill(
	struct channel *channel, struct stream *source, size_t *got, struct fault *fault)
{
	struct framed_channel *framed = channel->framed;
	*got = 0;
	if (!fault_is_set(&framed->failed)) {
		if (framed->deframer.ended)
			return IO_END;
		enum io result = deframer_read(&framed->deframer, source, fault);
		if (result != IO_OK)
			return result;
		framed->bulk =
			deframer_left(&framed->deframer) >= channel->size / FRAMED_CHANNEL_BULK;
		framed->about.from = stream_sender(source);
		if (framed->config.encode != NULL)
			(void)clock_gettime(CLOCK_REALTIME, &framed->about.time);
		framed_channel_make(channel);
	}
	if (framed->count > 0 || !fault_is_set(&framed->failed))
		return IO_OK;
	fault_move(fault, &framed->failed);
	return IO_FAIL;
}

/* --- writing --- */

static int
framed_channel_lend(struct channel *channel, struct iovec **pieces, int room)
{
	struct framed_channel *framed = channel->framed;
	(void)room;
	*pieces = framed->batch + framed->next;
	return (int)(framed->count - framed->next);
}

/* Bytes may be any part of the batch; the rest of a message is written next. */
static void
framed_channel_consume_bytes(struct framed_channel *framed, size_t bytes)
{
	struct iovec *piece = framed->batch + framed->next;
	for (; framed->next < framed->count && bytes >= piece->iov_len; framed->next++)
		bytes -= piece++->iov_len;
	if (framed->next < framed->count) {
		piece->iov_base = (unsigned char *)piece->iov_base + bytes;
		piece->iov_len -= bytes;
	}
}

static void
framed_channel_consume(struct channel *channel, size_t bytes, size_t messages)
{
	struct framed_channel *framed = channel->framed;
	if (messages > 0)
		framed->next += messages;
	else
		framed_channel_consume_bytes(framed, bytes);
	if (framed->next == framed->count)
		framed_channel_make(channel);
	/* An idle client needs no buffers. */
	if (channel->lazy && !framed->bulk && framed->count == 0 &&
		deframer_rest(&framed->deframer))
		framed_channel_give_back(framed);
}

static void
framed_channel_close(struct channel *channel)
{
	struct framed_channel *framed = channel->framed;
	deframer_close(&framed->deframer);
	framed_channel_give_back(framed);
	fault_clear(&framed->failed);
	free(framed);
	channel->framed = NULL;
}

static const struct channel_ops framed_channel_ops = {
	.name = "copied as messages",
	.has_room = framed_channel_has_room,
	.has_data = framed_channel_has_data,
	.fill = framed_channel_fill,
	.lend = framed_channel_lend,
	.consume = framed_channel_consume,
	.close = framed_channel_close,
};

bool
framed_channel_open(struct channel *channel, const struct stream *source,
	const struct flow_config *config, struct fault *fault)
{
	struct framed_channel *framed = calloc(1, sizeof *framed);
	size_t size = config->buffer, sink_max = channel->sink->caps.message_max;
	/* A read is one message, which the sink has to take, also after the transform. */
	if (config->decode == NULL && !source->caps.messages && sink_max > 0) {
		size_t most = sink_max < FRAMED_CHANNEL_PIECE ? sink_max : FRAMED_CHANNEL_PIECE;
		if (stage_transform(&channel->stages) != NULL && most > 1)
			most /= 2;
		size = size < most ? size : most;
	}
	if (framed == NULL || !deframer_open(&framed->deframer, source, config->decode, size)) {
		free(framed);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", source->name);
	}
	framed->batch = framed->few;
	framed->places = FRAMED_CHANNEL_FEW;
	framed->config = *config;
	if (config->encode != NULL)
		framed->growth = frame_growth(config->encode);
	framed->encodes = config->encode != NULL && !config->encode->format->whole;
	framed->transform = stage_transform(&channel->stages);
	framed->transform_restarts = source->caps.messages;
	framed->joins = sink_max == 0 && !stage_is_gated(&channel->stages);
	framed->sink_max = sink_max;
	channel->framed = framed;
	channel->ops = &framed_channel_ops;
	return true;
}
