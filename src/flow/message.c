/* The carrier of messages; see message.h. */
#include "flow/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/crlf.h"
#include "flow/intake.h"

/* The most messages in a batch: as many pieces as one writev takes. */
#define MESSAGE_BATCH 1024

/* Messages that come now and then are so few. */
#define MESSAGE_FEW 8

/* A read that brings this part of the bound is a sign that more will come. */
#define MESSAGE_MUCH 8

/* Room for what is encoded, if one message does not need more. */
#define MESSAGE_OUT ((size_t)256 * 1024)

#define MESSAGE_LARGE "more than the socket takes"

/* Invariant: the batch lies in front of what the intake has left, or in `out`. */
struct message {
	struct carrier_config config;
	struct intake intake;
	bool crlf_anew;     /* line ends begin anew with each message */
	unsigned char *out; /* owned: encoded */
	size_t out_size, out_used;
	struct iovec few[MESSAGE_FEW]; /* the batch, … */
	struct iovec *batch; /* … owned if it is another: of them from `next` to `count` … */
	size_t places, next, count; /* … are still to be written */
	bool much;                  /* came with the last read */
	size_t sink_max;     /* the sink keeps messages, of at most this size; 0: it takes bytes */
	struct fault failed; /* to be told when the batch is written */
	struct crlf crlf;
	struct frame_about about;
};

/* As many messages as were wanted have come. */
static bool
message_is_enough(const struct message *message)
{
	return message->config.most > 0 && message->intake.consumed >= message->config.most;
}

static bool
message_has_room(const struct carrier *carrier)
{
	const struct message *message = carrier->message;
	return message->next == message->count && !message_is_enough(message);
}

static bool
message_has_data(const struct carrier *carrier)
{
	return carrier->message->next < carrier->message->count;
}

/* --- making the batch --- */

/* Room for one message more. Without memory for that the batch is a smaller one. */
static bool
message_has_place(struct message *message)
{
	if (message->count < message->places)
		return true;
	struct iovec *larger = NULL;
	if (message->places == MESSAGE_FEW)
		larger = malloc(MESSAGE_BATCH * sizeof *larger);
	if (larger == NULL)
		return false;
	memcpy(larger, message->few, sizeof message->few);
	message->batch = larger;
	message->places = MESSAGE_BATCH;
	return true;
}

/* What was had for bytes and messages that are gone is given back. */
static void
message_give_back(struct message *message)
{
	if (message->batch != message->few)
		free(message->batch);
	message->batch = message->few;
	message->places = MESSAGE_FEW;
	free(message->out);
	message->out = NULL;
	message->out_size = message->out_used = 0;
}

/* Puts n bytes at the end of the batch. A sink of bytes takes what lies side by side as one. */
static void
message_append(struct message *message, unsigned char *bytes, size_t n)
{
	if (message->sink_max == 0 && n == 0)
		return;
	if (message->sink_max == 0 && message->count > 0 && !message->config.units) {
		struct iovec *last = &message->batch[message->count - 1];
		if ((unsigned char *)last->iov_base + last->iov_len == bytes) {
			last->iov_len += n;
			return;
		}
	}
	message->batch[message->count++] = (struct iovec){ bytes, n };
}

/* Room for `most` bytes more in the output. False: the batch has to be written first, or there is
 * no memory. */
static bool
message_make_room(struct message *message, size_t most)
{
	if (message->out_size - message->out_used >= most)
		return true;
	if (message->count > 0)
		return false;
	if (most < MESSAGE_OUT)
		most = MESSAGE_OUT;
	unsigned char *larger = most < SIZE_MAX ? malloc(most) : NULL;
	if (larger == NULL)
		return fault_set(&message->failed, STATUS_MEMORY, ENOMEM,
			"message %" PRIu64 " from %s", message->intake.consumed + 1,
			message->intake.source);
	free(message->out);
	message->out = larger;
	message->out_size = most;
	message->out_used = 0;
	return true;
}

/* The user said what is to become of a message that cannot be carried. True: its first *length
 * bytes are tried; false: it is left out, or that is a fault. */
static bool
message_refuse(struct carrier *carrier, const struct frame_refusal *refusal, size_t *length)
{
	struct message *message = carrier->message;
	switch (message->config.oversize) {
	case CARRIER_OVERSIZE_TRUNCATE:
		if (refusal->fits != SIZE_MAX && refusal->fits < *length) {
			*length = refusal->fits;
			return true;
		}
		carrier->skipped++;
		return false;
	case CARRIER_OVERSIZE_SKIP:
		carrier->skipped++;
		return false;
	case CARRIER_OVERSIZE_FAIL:
		break;
	}
	return fault_set(&message->failed, STATUS_FRAMING, 0,
		"message %" PRIu64 " from %s: %s, which the format '%s' cannot carry",
		message->intake.consumed + 1, message->intake.source, refusal->why,
		message->config.encode->format->name);
}

/* How much of a message has a frame that the sink takes; SIZE_MAX: not even none of it. A frame is
 * never shorter than its message, and that of a longer message is hardly ever shorter. */
static size_t
message_measure(struct message *message, const unsigned char *bytes, size_t length)
{
	const struct frame *encode = message->config.encode;
	unsigned char *out = message->out + message->out_used;
	size_t low = 0, high = length < message->sink_max ? length : message->sink_max + 1;
	size_t fits = SIZE_MAX;
	while (low < high) {
		struct frame_refusal refusal;
		size_t middle = low + (high - low) / 2;
		if (encode->format->encode(encode, bytes, middle, &message->about, out, &refusal) >
			message->sink_max) {
			high = middle;
		} else {
			fits = middle;
			low = middle + 1;
		}
	}
	return fits;
}

/* Encodes one. False: not now, or it failed. */
static bool
message_encode(struct carrier *carrier, unsigned char *bytes, size_t length)
{
	struct message *message = carrier->message;
	const struct frame *encode = message->config.encode;
	struct frame_refusal refusal;
	const size_t whole = length;
	/* Each time round it is shorter. */
	do {
		if (!message_make_room(message, encode->format->bound(encode, length)))
			return false;
		unsigned char *out = message->out + message->out_used;
		size_t n = encode->format->encode(
			encode, bytes, length, &message->about, out, &refusal);
		if (n != SIZE_MAX && (message->sink_max == 0 || n <= message->sink_max)) {
			message_append(message, out, n);
			message->out_used += n;
			carrier->fetched += n;
			carrier->truncated += length < whole;
			return true;
		}
		if (n != SIZE_MAX)
			refusal = (struct frame_refusal){ MESSAGE_LARGE,
				message_measure(message, bytes, length) };
	} while (message_refuse(carrier, &refusal, &length));
	return !fault_is_set(&message->failed);
}

/* Takes one message into the batch. False: not now, or it failed. */
static bool
message_take(struct carrier *carrier, unsigned char *bytes, size_t length)
{
	struct message *message = carrier->message;
	if (message->config.crlf) {
		if (!message_make_room(message, 2 * length))
			return false;
		if (message->crlf_anew)
			message->crlf = (struct crlf){ false };
		unsigned char *out = message->out + message->out_used;
		length = crlf_feed(&message->crlf, bytes, length, out);
		bytes = out;
		message->out_used += length;
	}
	if (message->config.encode != NULL && !message->config.encode->format->whole)
		return message_encode(carrier, bytes, length);
	if (message->sink_max > 0 && length > message->sink_max) {
		if (message->config.encode == NULL)
			return fault_set(&message->failed, STATUS_SEND, EMSGSIZE,
				"send to %s: a message of %zu bytes", carrier->sink->name, length);
		struct frame_refusal refusal = { MESSAGE_LARGE, message->sink_max };
		if (!message_refuse(carrier, &refusal, &length))
			return !fault_is_set(&message->failed);
		carrier->truncated++;
	}
	message_append(message, bytes, length);
	carrier->fetched += length;
	return true;
}

/* Makes a batch of what is there; the one before is written. */
static void
message_make(struct carrier *carrier)
{
	struct message *message = carrier->message;
	struct intake *intake = &message->intake;
	bool one = carrier->units;
	message->next = message->count = message->out_used = 0;
	while ((one ? message->count == 0 : message_has_place(message)) &&
		!fault_is_set(&message->failed) && !message_is_enough(message) &&
		intake_find(intake, &message->failed) &&
		message_take(carrier, intake->part.message, intake->part.length)) {
		intake_consume(intake);
		carrier->brought++;
	}
	carrier->taken = intake->offset;
	carrier->part = message_is_enough(message) ? 0 : intake_left(intake);
	carrier->ready = fault_is_set(&message->failed) || intake->ended;
}

static enum io
message_fill(struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	struct message *message = carrier->message;
	enum io result = IO_OK;
	*got = 0;
	if (!fault_is_set(&message->failed)) {
		if (message->intake.ended)
			return IO_END;
		result = intake_read(&message->intake, source, fault);
		if (result != IO_OK)
			return result;
		message->much = intake_left(&message->intake) >= carrier->size / MESSAGE_MUCH;
		message->about.from = source->from != NULL ? source->from : source->name;
		if (message->config.encode != NULL)
			(void)clock_gettime(CLOCK_REALTIME, &message->about.time);
		message_make(carrier);
	}
	if (message->count > 0 || !fault_is_set(&message->failed))
		return IO_OK;
	/* What is told now is not told once more. */
	carrier->part = 0;
	fault_move(fault, &message->failed);
	return IO_FAIL;
}

/* --- writing --- */

static enum io
message_drain(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	struct message *message = carrier->message;
	size_t left = message->count - message->next;
	size_t most = message->sink_max == 0 ? left : sink->wbatch > 1 ? sink->wbatch : 1;
	int count = (int)(left < most ? left : most);
	struct iovec *pieces = message->batch + message->next;
	enum io result = sink->ops->write(sink, pieces, count, put, fault);
	carrier->unit_ended = false;
	if (result != IO_OK)
		return result;
	if (message->sink_max > 0) {
		message->next += count == 1 ? 1 : sink->wtaken;
	} else {
		size_t done = *put;
		while (message->next < message->count && done >= pieces->iov_len) {
			done -= pieces->iov_len;
			pieces++;
			message->next++;
		}
		if (message->next < message->count) {
			pieces->iov_base = (unsigned char *)pieces->iov_base + done;
			pieces->iov_len -= done;
		}
	}
	carrier->unit_ended = message->next == message->count;
	if (message->next == message->count)
		message_make(carrier);
	/* Many clients that are silent cost little. */
	if (carrier->lean && !message->much && message->count == 0 && intake_rest(&message->intake))
		message_give_back(message);
	return IO_OK;
}

static size_t
message_drop(struct carrier *carrier)
{
	struct message *message = carrier->message;
	size_t dropped = 0;
	for (; message->next < message->count; message->next++)
		dropped += message->batch[message->next].iov_len;
	carrier->part = 0;
	return dropped;
}

static void
message_close(struct carrier *carrier)
{
	struct message *message = carrier->message;
	intake_close(&message->intake);
	message_give_back(message);
	fault_clear(&message->failed);
	free(message);
	carrier->message = NULL;
}

static const struct carrier_ops message_ops = {
	.name = "messages",
	.has_room = message_has_room,
	.has_data = message_has_data,
	.fill = message_fill,
	.drain = message_drain,
	.drop = message_drop,
	.close = message_close,
};

bool
message_open(struct carrier *carrier, const struct stream *source,
	const struct carrier_config *config, struct fault *fault)
{
	struct message *message = calloc(1, sizeof *message);
	size_t size = config->size, sink_max = carrier->sink->wmessage_max;
	/* One read is one message, which has to be one for the sink, also when it has grown. */
	if (config->decode == NULL && !source->rmessages && sink_max > 0) {
		size_t most = config->crlf && sink_max > 1 ? sink_max / 2 : sink_max;
		size = size < most ? size : most;
	}
	if (message == NULL || !intake_open(&message->intake, source, config->decode, size)) {
		free(message);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", source->name);
	}
	message->batch = message->few;
	message->places = MESSAGE_FEW;
	message->config = *config;
	message->crlf_anew = source->rmessages;
	message->sink_max = sink_max;
	carrier->message = message;
	carrier->ops = &message_ops;
	return true;
}
