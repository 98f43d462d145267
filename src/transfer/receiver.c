/* Receiving files; see receiver.h. */
#include "transfer/receiver.h"

#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "transfer/exchange.h"
#include "transfer/file_name.h"
#include "transfer/incoming.h"
#include "transfer/incoming_tree.h"

/* Between two looks whether another session has left the part of the file. */
#define RECEIVER_PAUSE (20 * CLOCK_MILLISECOND)

enum receiver_state {
	RECEIVER_IDLE,     /* waits for a file or the end */
	RECEIVER_CHECKS,   /* what is there of it */
	RECEIVER_ASKS,     /* waits for the sender to compare that */
	RECEIVER_RECEIVES, /* data */
	RECEIVER_EXTRACTS, /* data of a directory */
	RECEIVER_ENDS,     /* the program that extracts it */
	RECEIVER_STORES    /* the file or directory is synchronised and renamed */
};

struct receiver {
	struct exchange exchange; /* the first field: it is the `impl` of the stream */
	struct receiver_config config;
	enum receiver_state state;
	struct incoming file;
	struct incoming_tree tree;
	uint64_t count; /* files that are stored */
};

/* --- messages --- */

static void
receiver_fail(struct receiver *receiver, struct fault *fault)
{
	receiver->exchange.busy = receiver->file.partial.busy || receiver->tree.partial.busy;
	exchange_fail(&receiver->exchange, fault);
}

/* Whether the name of a file or directory may be used. */
static bool
receiver_allows(const struct protocol_message *message, struct fault *fault)
{
	const char *refused = file_name_refuse(message->name, message->name_length);
	return refused == NULL ||
		fault_set(fault, STATUS_OUTPUT, 0, "refused the name '%.*s': %s",
			(int)(message->name_length < FILE_NAME_MAX ? message->name_length
								   : FILE_NAME_MAX),
			message->name, refused);
}

/* A new file or directory. */
static void
receiver_begin(struct receiver *receiver, const struct protocol_message *message)
{
	struct exchange *exchange = &receiver->exchange;
	const struct incoming_config *config = &receiver->config.file;
	struct fault fault = FAULT_NONE;
	bool good = receiver_allows(message, &fault) &&
		(message->kind == PROTOCOL_TREE ? incoming_tree_open(&receiver->tree, config,
							  message, exchange->digest, &fault)
						: incoming_open(&receiver->file, config, message,
							  exchange->digest, &fault));
	if (!good) {
		receiver_fail(receiver, &fault);
		return;
	}
	receiver->state = RECEIVER_CHECKS;
	exchange->stream->read.at = STREAM_NOW;
}

/* Waits for another descriptor. */
static void
receiver_await(struct stream *stream, struct stream_side *side, int fd)
{
	if (side->fd == fd)
		return;
	side->fd = fd;
	stream->write.reopened++;
}

/* Starts the program, unless another session has the part. */
static void
receiver_start_tree(struct receiver *receiver)
{
	struct exchange *exchange = &receiver->exchange;
	struct stream *stream = exchange->stream;
	struct fault fault = FAULT_NONE;
	enum io result = incoming_tree_start(&receiver->tree, &stream->ready, &fault);
	stream->read.at = STREAM_NOW;
	if (result == IO_AGAIN) {
		stream->read.at = clock_after(clock_now(), RECEIVER_PAUSE);
	} else if (result == IO_FAIL) {
		receiver_fail(receiver, &fault);
	} else {
		receiver->state = RECEIVER_EXTRACTS;
		receiver_await(stream, &stream->write, receiver->tree.archiver.archive);
		stream->write.at = STREAM_NOW;
		exchange_put(exchange, &(struct protocol_message){ .kind = PROTOCOL_READY });
	}
}

/* The program gets nothing more. */
static void
receiver_end_tree(struct receiver *receiver)
{
	struct stream *stream = receiver->exchange.stream;
	receiver->state = RECEIVER_ENDS;
	receiver_await(stream, &stream->write, -1);
	stream->read.at = STREAM_NOW;
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
	if (result == IO_AGAIN && file->until != 0)
		exchange->stream->read.at = clock_after(clock_now(), RECEIVER_PAUSE);
	if (result == IO_AGAIN)
		return;
	ready.offset = file->offset;
	ready.has_digest = file->offset > 0;
	bool good = result == IO_OK &&
		(file->offset > 0 ? blocks_finish(&file->blocks, ready.digest, &fault)
				  : incoming_start(file, 0, &fault));
	if (!good) {
		receiver_fail(receiver, &fault);
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
		receiver_fail(receiver, &fault);
		return;
	}
	exchange_report_resumed(receiver->file.name, offset, receiver->file.size);
}

/* All data has arrived. */
static void
receiver_store(struct receiver *receiver, const struct protocol_message *message)
{
	struct fault fault = FAULT_NONE;
	if (receiver->state == RECEIVER_EXTRACTS) {
		bool good = incoming_tree_verify(&receiver->tree, message, &fault);
		receiver_end_tree(receiver);
		if (!good)
			receiver_fail(receiver, &fault);
		return;
	}
	if (!incoming_verify(&receiver->file, message, &fault)) {
		receiver_fail(receiver, &fault);
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
	bool extracts = receiver->state == RECEIVER_EXTRACTS;
	if ((message->kind == PROTOCOL_FILE || message->kind == PROTOCOL_TREE) && idle) {
		receiver_begin(receiver, message);
	} else if (message->kind == PROTOCOL_START && receiver->state == RECEIVER_ASKS &&
		(message->offset == 0 || message->offset == file->offset)) {
		receiver_start(receiver, message->offset);
	} else if (message->kind == PROTOCOL_DATA &&
		((receives && message->size <= file->left) || extracts)) {
		exchange->data = message->size;
	} else if (message->kind == PROTOCOL_FINISHED && (receives || extracts)) {
		receiver_store(receiver, message);
	} else if (message->kind == PROTOCOL_END && idle && message->count == receiver->count) {
		exchange_end(exchange);
	} else {
		return false;
	}
	return true;
}

static size_t
receiver_take_data(struct exchange *exchange, const unsigned char *bytes, size_t n)
{
	struct receiver *receiver = (struct receiver *)exchange;
	struct fault fault = FAULT_NONE;
	size_t taken = n;
	enum io result = receiver->state == RECEIVER_EXTRACTS
		? incoming_tree_write(&receiver->tree, bytes, n, &taken, &fault)
		: incoming_write(&receiver->file, bytes, n, &fault) ? IO_OK
								    : IO_FAIL;
	if (result == IO_END)
		receiver_end_tree(receiver);
	else if (result == IO_FAIL)
		receiver_fail(receiver, &fault);
	return taken;
}

static bool
receiver_is_busy(const struct exchange *exchange)
{
	const struct receiver *receiver = (const struct receiver *)exchange;
	return receiver->state == RECEIVER_CHECKS || receiver->state == RECEIVER_ENDS ||
		receiver->state == RECEIVER_STORES;
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

/* Looks whether the program has ended. */
static void
receiver_look_at_program(struct receiver *receiver)
{
	struct exchange *exchange = &receiver->exchange;
	struct stream *stream = exchange->stream;
	struct fault fault = FAULT_NONE;
	enum io result = incoming_tree_end(&receiver->tree, &fault);
	receiver_await(stream, &stream->read, receiver->tree.archiver.report);
	stream->read.at = result == IO_AGAIN ? 0 : STREAM_NOW;
	if (result == IO_FAIL) {
		receiver_fail(receiver, &fault);
		incoming_tree_close(&receiver->tree);
	} else if (result == IO_OK) {
		receiver->state = RECEIVER_STORES;
	}
}

/* Looks whether the file or directory is stored. */
static void
receiver_look(struct receiver *receiver)
{
	struct exchange *exchange = &receiver->exchange;
	struct stream *stream = exchange->stream;
	struct fault fault = FAULT_NONE;
	bool tree = receiver->tree.name != NULL;
	enum io result = tree ? incoming_tree_commit(&receiver->tree, &fault)
			      : incoming_commit(&receiver->file, &fault);
	receiver_await(stream, &stream->read,
		tree ? receiver->tree.partial.done_fd : receiver->file.partial.done_fd);
	if (result == IO_AGAIN) {
		stream->read.at = 0;
		return;
	}
	receiver->state = RECEIVER_IDLE;
	stream->write.at = STREAM_NOW;
	if (result == IO_OK) {
		receiver->count++;
		event_emit(&(struct event){ .kind = EVENT_file_received,
			.object = tree ? receiver->tree.name : receiver->file.name,
			.received = tree ? receiver->tree.size : receiver->file.size,
			.detail = exchange_verified(exchange) });
		exchange_put(exchange, &(struct protocol_message){ .kind = PROTOCOL_STORED });
	} else {
		receiver_fail(receiver, &fault);
	}
	incoming_close(&receiver->file);
	incoming_tree_close(&receiver->tree);
}

static enum io
receiver_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	stream->ready = false;
	enum io result = exchange_read(&receiver->exchange, pieces, count, got, fault);
	if (result != IO_AGAIN || receiver->exchange.failed)
		return result;
	if (receiver->state == RECEIVER_CHECKS && receiver->tree.name != NULL)
		receiver_start_tree(receiver);
	else if (receiver->state == RECEIVER_CHECKS)
		receiver_check(receiver);
	else if (receiver->state == RECEIVER_ENDS)
		receiver_look_at_program(receiver);
	else if (receiver->state == RECEIVER_STORES)
		receiver_look(receiver);
	else
		return result;
	/* It waits for the thread or the program, or goes on in the next turn. */
	if (stream->read.at == 0 ||
		(!receiver->exchange.failed &&
			(receiver->state == RECEIVER_CHECKS || receiver->state == RECEIVER_STORES)))
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
	stream->caps.wanted =
		receiver->tree.name == NULL ? receiver->exchange.taken + receiver->file.left : 0;
	/* The program has to read first. */
	if (result == IO_AGAIN && receiver->state == RECEIVER_EXTRACTS)
		stream->write.at = 0;
	return result;
}

static enum io
receiver_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	/* The file is stored before the end is checked. */
	if (half_close && !receiver->exchange.failed &&
		(receiver->state == RECEIVER_ENDS || receiver->state == RECEIVER_STORES)) {
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
	incoming_tree_close(&receiver->tree);
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
	receiver->tree = INCOMING_TREE_NONE;
	const struct exchange_config exchange = { .ops = &receiver_exchange,
		.peer = peer,
		.greeting = config->greeting,
		.needs_digest = config->file.resume };
	if (exchange_open(&receiver->exchange, stream, &exchange, now, fault))
		return stream;
	stream_close(stream, false);
	return NULL;
}
