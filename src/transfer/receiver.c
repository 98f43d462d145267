/* Receiving files; see receiver.h. */
#include "transfer/receiver.h"

#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "transfer/exchange.h"
#include "transfer/file_name.h"
#include "transfer/incoming.h"

enum receiver_state {
	RECEIVER_IDLE,     /* waits for a file or the end */
	RECEIVER_CHECKS,   /* what is there of it */
	RECEIVER_ASKS,     /* waits for the sender, who compares that */
	RECEIVER_RECEIVES, /* data */
	RECEIVER_STORES    /* the file is synchronised and renamed */
};

struct receiver {
	struct exchange exchange; /* the first field: it is the `impl` of the stream */
	struct receiver_config config;
	enum receiver_state state;
	struct incoming file;
	uint64_t count; /* files that are stored */
};

/* --- messages --- */

/* A new file. */
static void
receiver_begin(struct receiver *receiver, const struct protocol_message *message)
{
	struct exchange *exchange = &receiver->exchange;
	const char *refused = file_name_refuse(message->name, message->name_length);
	struct fault fault = FAULT_NONE;
	if (refused != NULL)
		(void)fault_set(&fault, STATUS_OUTPUT, 0, "refused the name '%.*s': %s",
			(int)(message->name_length < FILE_NAME_MAX ? message->name_length
								   : FILE_NAME_MAX),
			message->name, refused);
	else
		(void)incoming_open(
			&receiver->file, &receiver->config.file, message, exchange->digest, &fault);
	if (fault_is_set(&fault)) {
		exchange_fail(exchange, &fault);
		return;
	}
	receiver->state = RECEIVER_CHECKS;
	exchange->stream->read.at = STREAM_NOW;
}

/* One step of finding out where to begin. */
static void
receiver_check(struct receiver *receiver)
{
	struct exchange *exchange = &receiver->exchange;
	struct incoming *file = &receiver->file;
	struct protocol_message ready = { .kind = PROTOCOL_READY };
	struct fault fault = FAULT_NONE;
	enum io result = incoming_check(file, &fault);
	exchange->stream->read.at = exchange->stream->write.at = STREAM_NOW;
	if (result == IO_AGAIN)
		return;
	ready.offset = file->offset;
	ready.has_digest = file->offset > 0;
	bool good = result == IO_OK &&
		(file->offset > 0 ? blocks_finish(&file->blocks, ready.digest, &fault)
				  : incoming_start(file, 0, &fault));
	if (!good) {
		exchange_fail(exchange, &fault);
		return;
	}
	receiver->state = file->offset > 0 ? RECEIVER_ASKS : RECEIVER_RECEIVES;
	exchange_put(exchange, &ready);
}

/* The sender has compared the beginning. */
static void
receiver_start(struct receiver *receiver, uint64_t offset)
{
	struct fault fault = FAULT_NONE;
	receiver->state = RECEIVER_RECEIVES;
	if (!incoming_start(&receiver->file, offset, &fault)) {
		exchange_fail(&receiver->exchange, &fault);
		return;
	}
	exchange_report_resumed(receiver->file.name, offset, receiver->file.size);
}

/* All data has arrived. */
static void
receiver_store(struct receiver *receiver, const struct protocol_message *message)
{
	struct fault fault = FAULT_NONE;
	if (!incoming_verify(&receiver->file, message, &fault)) {
		exchange_fail(&receiver->exchange, &fault);
		return;
	}
	receiver->state = RECEIVER_STORES;
	receiver->exchange.stream->read.at = STREAM_NOW;
}

static bool
receiver_take(struct exchange *exchange, const struct protocol_message *message)
{
	struct receiver *receiver = (struct receiver *)exchange;
	struct incoming *file = &receiver->file;
	bool idle = receiver->state == RECEIVER_IDLE;
	bool receives = receiver->state == RECEIVER_RECEIVES;
	if (message->kind == PROTOCOL_FILE && idle) {
		receiver_begin(receiver, message);
	} else if (message->kind == PROTOCOL_START && receiver->state == RECEIVER_ASKS &&
		(message->offset == 0 || message->offset == file->offset)) {
		receiver_start(receiver, message->offset);
	} else if (message->kind == PROTOCOL_DATA && receives && message->size <= file->left) {
		exchange->data = message->size;
	} else if (message->kind == PROTOCOL_FINISHED && receives) {
		receiver_store(receiver, message);
	} else if (message->kind == PROTOCOL_END && idle && message->count == receiver->count) {
		exchange_end(exchange);
	} else {
		return false;
	}
	return true;
}

static void
receiver_take_data(struct exchange *exchange, const unsigned char *bytes, size_t n)
{
	struct receiver *receiver = (struct receiver *)exchange;
	struct fault fault = FAULT_NONE;
	if (!incoming_write(&receiver->file, bytes, n, &fault))
		exchange_fail(exchange, &fault);
}

static bool
receiver_is_busy(const struct exchange *exchange)
{
	const struct receiver *receiver = (const struct receiver *)exchange;
	return receiver->state == RECEIVER_CHECKS || receiver->state == RECEIVER_STORES;
}

static const struct exchange_ops receiver_exchange = {
	.sends = false,
	.expects = "send",
	.instead = "> FILE",
	.take = receiver_take,
	.take_data = receiver_take_data,
	.is_busy = receiver_is_busy,
};

/* --- the operations of the stream --- */

/* Looks whether the file is stored. */
static void
receiver_look(struct receiver *receiver)
{
	struct exchange *exchange = &receiver->exchange;
	struct stream *stream = exchange->stream;
	struct fault fault = FAULT_NONE;
	enum io result = incoming_commit(&receiver->file, &fault);
	if (stream->read.fd != receiver->file.partial.done_fd) {
		stream->read.fd = receiver->file.partial.done_fd;
		stream->write.reopened++;
	}
	if (result == IO_AGAIN) {
		stream->read.at = 0;
		return;
	}
	receiver->state = RECEIVER_IDLE;
	stream->write.at = STREAM_NOW;
	if (result == IO_OK) {
		receiver->count++;
		event_emit(&(struct event){ .kind = EVENT_file_received,
			.object = receiver->file.name,
			.received = receiver->file.size,
			.detail = exchange_verified(exchange) });
		exchange_put(exchange, &(struct protocol_message){ .kind = PROTOCOL_STORED });
	} else {
		exchange_fail(exchange, &fault);
	}
	incoming_close(&receiver->file);
}

static enum io
receiver_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	enum io result = exchange_read(&receiver->exchange, pieces, count, got, fault);
	if (result != IO_AGAIN || receiver->exchange.failed)
		return result;
	if (receiver->state == RECEIVER_CHECKS)
		receiver_check(receiver);
	else if (receiver->state == RECEIVER_STORES)
		receiver_look(receiver);
	else
		return result;
	/* It waits for the thread, or goes on in the next turn. */
	if (stream->read.at == 0 ||
		(receiver->state == RECEIVER_CHECKS && !receiver->exchange.failed))
		return IO_AGAIN;
	return exchange_read(&receiver->exchange, pieces, count, got, fault);
}

static enum io
receiver_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	enum io result = exchange_write(&receiver->exchange, pieces, count, put, fault);
	/* Of further files nothing is known. */
	stream->caps.wanted = receiver->exchange.taken + receiver->file.left;
	return result;
}

static enum io
receiver_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	/* The file is stored before the end is judged. */
	if (half_close && receiver->state == RECEIVER_STORES) {
		stream->write.at = CLOCK_NEVER;
		return IO_AGAIN;
	}
	return exchange_shut(&receiver->exchange, half_close, fault);
}

static void
receiver_close(struct stream *stream, bool clean)
{
	struct receiver *receiver = stream->impl;
	(void)clean;
	incoming_close(&receiver->file);
	exchange_close(&receiver->exchange);
}

static const struct stream_ops receiver_ops = {
	.open = exchange_start,
	.read = receiver_read,
	.write = receiver_write,
	.shut = receiver_shut,
	.close = receiver_close,
};

struct stream *
receiver_new(
	const struct receiver_config *config, const char *peer, int64_t now, struct fault *fault)
{
	struct stream *stream =
		stream_new(&receiver_ops, strdup("--receive"), sizeof(struct receiver), fault);
	if (stream == NULL)
		return NULL;
	struct receiver *receiver = stream->impl;
	receiver->config = *config;
	receiver->file = INCOMING_NONE;
	if (exchange_open(&receiver->exchange, stream, &receiver_exchange, peer, now,
		    config->greeting, config->file.resume, fault))
		return stream;
	stream_close(stream, false);
	return NULL;
}
