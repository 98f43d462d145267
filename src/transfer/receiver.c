/* Receiving files; see receiver.h. */
#include "transfer/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/event.h"
#include "stream/partial.h"
#include "sys/sys.h"
#include "transfer/exchange.h"
#include "transfer/file_name.h"

enum receiver_state {
	RECEIVER_IDLE,     /* waits for a file or the end */
	RECEIVER_RECEIVES, /* data */
	RECEIVER_STORES    /* the file is synchronised and renamed */
};

struct receiver {
	struct exchange exchange; /* the first field: it is the `impl` of the stream */
	struct receiver_config config;
	enum receiver_state state;
	struct partial partial;
	struct partial_result result;
	uint64_t left; /* bytes of the file that have not been announced */
	uint64_t size;
	char *name;     /* owned */
	uint64_t count; /* files that are stored */
};

/* --- messages --- */

static bool
receiver_open_file(
	struct receiver *receiver, const struct protocol_message *message, struct fault *fault)
{
	const struct receiver_config *config = &receiver->config;
	mode_t mode = (mode_t)message->mode & 0777 & ~config->mask;
	receiver->result = (struct partial_result){
		/* 0 would be the usual permissions. */
		.mode = mode != 0 ? mode : S_IRUSR,
		.has_mtime = message->dated,
		.replace = config->replace,
		.sync = true,
		.mtime = { .tv_sec = (time_t)message->mtime, .tv_nsec = (long)message->nsec },
	};
	free(receiver->name);
	receiver->name = strdup(message->name);
	if (receiver->name == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "write %s", message->name);
	return partial_check(config->directory, message->name, config->replace, fault) &&
		partial_open(&receiver->partial, config->directory, message->name, false, fault);
}

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
		(void)receiver_open_file(receiver, message, &fault);
	if (fault_is_set(&fault)) {
		exchange_fail(exchange, &fault);
		return;
	}
	receiver->left = receiver->size = message->size;
	receiver->state = RECEIVER_RECEIVES;
	exchange_put(exchange, &(struct protocol_message){ .kind = PROTOCOL_READY });
}

/* All data has arrived. */
static void
receiver_store(struct receiver *receiver)
{
	struct stream *stream = receiver->exchange.stream;
	struct fault fault = FAULT_NONE;
	if (receiver->left > 0) {
		(void)fault_set(&fault, STATUS_CUT, 0, "receive %s: fewer bytes than announced",
			receiver->name);
		exchange_fail(&receiver->exchange, &fault);
		return;
	}
	receiver->state = RECEIVER_STORES;
	stream->read.at = STREAM_NOW;
}

static bool
receiver_take(struct exchange *exchange, const struct protocol_message *message)
{
	struct receiver *receiver = (struct receiver *)exchange;
	bool idle = receiver->state == RECEIVER_IDLE;
	if (message->kind == PROTOCOL_FILE && idle) {
		receiver_begin(receiver, message);
		return true;
	}
	if (message->kind == PROTOCOL_END && idle && message->count == receiver->count) {
		exchange_end(exchange);
		return true;
	}
	if (message->kind == PROTOCOL_DATA && !idle && message->size <= receiver->left) {
		receiver->left -= message->size;
		exchange->data = message->size;
		return true;
	}
	if (message->kind != PROTOCOL_FINISHED || idle)
		return false;
	receiver_store(receiver);
	return true;
}

static void
receiver_take_data(struct exchange *exchange, const unsigned char *bytes, size_t n)
{
	struct receiver *receiver = (struct receiver *)exchange;
	struct fault fault = FAULT_NONE;
	for (size_t at = 0; at < n && !fault_is_set(&fault);) {
		struct iovec piece = { (void *)(uintptr_t)(bytes + at), n - at };
		ssize_t put = sys_writev(receiver->partial.fd, &piece, 1);
		if (put > 0)
			at += (size_t)put;
		else
			(void)fault_set(&fault, STATUS_OUTPUT, put == -1 ? errno : ENOSPC,
				"write %s", receiver->name);
	}
	if (fault_is_set(&fault))
		exchange_fail(exchange, &fault);
}

static bool
receiver_is_busy(const struct exchange *exchange)
{
	return ((const struct receiver *)exchange)->state == RECEIVER_STORES;
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
	enum io result = partial_commit(&receiver->partial, &receiver->result, &fault);
	if (stream->read.fd != receiver->partial.done_fd) {
		stream->read.fd = receiver->partial.done_fd;
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
			.object = receiver->name,
			.received = receiver->size });
		exchange_put(exchange, &(struct protocol_message){ .kind = PROTOCOL_STORED });
	} else {
		exchange_fail(exchange, &fault);
	}
	partial_close(&receiver->partial);
}

static enum io
receiver_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	(void)fault;
	enum io result = exchange_read(&receiver->exchange, pieces, count, got);
	if (result != IO_AGAIN || receiver->state != RECEIVER_STORES)
		return result;
	receiver_look(receiver);
	return stream->read.at == 0 ? IO_AGAIN
				    : exchange_read(&receiver->exchange, pieces, count, got);
}

static enum io
receiver_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	return exchange_write(&receiver->exchange, pieces, count, put, fault);
}

static enum io
receiver_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct receiver *receiver = stream->impl;
	(void)fault;
	/* The file is stored before the end is judged. */
	if (half_close && receiver->state == RECEIVER_STORES) {
		stream->write.at = CLOCK_NEVER;
		return IO_AGAIN;
	}
	return exchange_shut(&receiver->exchange, half_close);
}

static void
receiver_close(struct stream *stream, bool clean)
{
	struct receiver *receiver = stream->impl;
	(void)clean;
	partial_close(&receiver->partial);
	free(receiver->name);
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
	if (exchange_open(&receiver->exchange, stream, &receiver_exchange, peer, now,
		    config->greeting, fault))
		return stream;
	stream_close(stream, false);
	return NULL;
}
