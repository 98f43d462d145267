/* The common part of senders and receivers of files; see exchange.h. */
#include "transfer/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/amount.h"
#include "base/clock.h"
#include "base/event.h"
#include "transfer/blocks.h"

/* How long the other side may take to end after a failure. */
#define EXCHANGE_GRACE (10 * CLOCK_SECOND)

/* The most bytes that are discarded when all is over. */
#define EXCHANGE_TAIL ((size_t)1024 * 1024)

bool
exchange_open(struct exchange *exchange, struct stream *stream,
	const struct exchange_config *config, int64_t now, struct fault *fault)
{
	struct fault missing = FAULT_NONE;
	exchange->ops = config->ops;
	exchange->stream = stream;
	exchange->deadline = clock_after(now, config->greeting);
	exchange->peer = strdup(config->peer);
	if (exchange->peer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "open %s", stream->name);
	exchange->digests = blocks_are_possible(&missing);
	if (!exchange->digests && config->needs_digest) {
		fault_move(fault, &missing);
		return false;
	}
	fault_clear(&missing);
	stream->stats.verdict = &exchange->verdict;
	stream->stats.unfinished = true;
	return true;
}

enum io
exchange_start(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct exchange *exchange = stream->impl;
	(void)pollset, (void)now, (void)fault;
	exchange_put(exchange,
		&(struct protocol_message){ .kind = PROTOCOL_GREETING,
			.sends = exchange->ops->sends,
			.sha256 = exchange->digests });
	return IO_OK;
}

void
exchange_close(struct exchange *exchange)
{
	fault_clear(&exchange->verdict);
	free(exchange->peer);
}

void
exchange_put(struct exchange *exchange, const struct protocol_message *message)
{
	if (exchange->from == exchange->to)
		exchange->from = exchange->to = 0;
	if (sizeof exchange->out - exchange->to < PROTOCOL_MESSAGE_MAX)
		return;
	exchange->to += protocol_put_message(message, exchange->out + exchange->to);
	exchange->stream->read.at = STREAM_NOW;
}

/* Ends with a verdict that is not for the other side. */
static void
exchange_conclude(struct exchange *exchange, struct fault *fault)
{
	if (exchange->failed) {
		fault_clear(fault);
		return;
	}
	fault_move(&exchange->verdict, fault);
	exchange->failed = true;
	exchange->stream->stats.unfinished = false;
	exchange->data = 0;
	exchange->deadline = clock_after(clock_now(), EXCHANGE_GRACE);
	exchange->stream->read.at = exchange->stream->write.at = STREAM_NOW;
}

void
exchange_end(struct exchange *exchange)
{
	exchange->over = true;
	exchange->stream->stats.unfinished = false;
	exchange->deadline = CLOCK_NEVER;
	exchange->stream->read.at = exchange->stream->write.at = STREAM_NOW;
}

void
exchange_fail(struct exchange *exchange, struct fault *fault)
{
	const struct protocol_message message = { .kind = PROTOCOL_ERROR,
		.status = (uint64_t)fault->status,
		.busy = exchange->busy,
		.error = fault->text != NULL ? fault->text : "out of memory" };
	struct fault verdict = FAULT_NONE;
	if (exchange->greeted && !exchange->failed && !exchange->over)
		exchange_put(exchange, &message);
	if (!exchange->failed)
		exchange->stream->stats.busy = exchange->busy;
	(void)fault_set(&verdict, fault->status, 0, "%s %s: %s",
		exchange->ops->sends ? "send to" : "receive from", exchange->peer, message.error);
	fault_clear(fault);
	exchange_conclude(exchange, &verdict);
	/* The sender ends first: then the receiver need not discard what is on the way. */
	if (exchange->ops->sends)
		exchange_end(exchange);
}

/* --- the other side's messages --- */

/* The status that an error of the other side gives this side. */
static enum status
exchange_status(uint64_t sent)
{
	return sent > STATUS_NO && fault_status_text(sent) != NULL ? (enum status)sent
								   : STATUS_FRAMING;
}

static void
exchange_take_error(struct exchange *exchange, const struct protocol_message *message)
{
	struct fault fault = FAULT_NONE;
	bool sends = exchange->ops->sends;
	(void)fault_set(&fault, exchange_status(message->status), 0, "%s %s: the %s reported: %s",
		sends ? "send to" : "receive from", exchange->peer, sends ? "receiver" : "sender",
		message->error);
	exchange_conclude(exchange, &fault);
	exchange_end(exchange);
	exchange->stream->stats.busy = message->busy != 0;
}

/* The other side does not follow the protocol. */
static void
exchange_refuse(struct exchange *exchange, const char *what)
{
	struct fault fault = FAULT_NONE;
	(void)fault_set(&fault, STATUS_FRAMING, 0, "%s", what);
	exchange_fail(exchange, &fault);
}

/* The peer is another program, or it has not greeted. */
static void
exchange_reject_peer(struct exchange *exchange, enum status status, const char *what)
{
	struct fault fault = FAULT_NONE;
	(void)fault_set(&fault, status, 0,
		"receive from %s: the peer %s sockcat --%s (with another program use: %s)",
		exchange->peer, what, exchange->ops->expects, exchange->ops->instead);
	exchange_conclude(exchange, &fault);
	exchange_end(exchange);
}

static void
exchange_take_greeting(struct exchange *exchange, const struct protocol_message *message)
{
	struct fault fault = FAULT_NONE;
	exchange->greeted = true;
	exchange->digest = exchange->digests && message->sha256;
	exchange->deadline = CLOCK_NEVER;
	exchange->stream->read.at = STREAM_NOW;
	if (message->sends != exchange->ops->sends)
		return;
	(void)fault_set(&fault, STATUS_FRAMING, 0,
		"receive from %s: both sides have --%s; one of them needs --%s", exchange->peer,
		exchange->ops->sends ? "send" : "receive", exchange->ops->expects);
	exchange_conclude(exchange, &fault);
	exchange_end(exchange);
}

static void
exchange_take_message(struct exchange *exchange, const struct protocol_message *message)
{
	if (message->kind == PROTOCOL_GREETING)
		exchange_take_greeting(exchange, message);
	else if (message->kind == PROTOCOL_ERROR)
		exchange_take_error(exchange, message);
	else if (!exchange->ops->take(exchange, message))
		exchange_refuse(exchange, "protocol error: unexpected message");
}

/* Takes some of the bytes; 0: they have to wait. */
static size_t
exchange_take(struct exchange *exchange, const unsigned char *bytes, size_t n)
{
	struct protocol_message message;
	const char *why = NULL;
	size_t used;
	if (exchange->failed || exchange->over)
		return n;
	if (exchange->ops->is_busy(exchange))
		return 0;
	if (exchange->data > 0) {
		size_t most = exchange->data < n ? (size_t)exchange->data : n;
		used = exchange->ops->take_data(exchange, bytes, most);
		if (exchange->failed)
			return most;
		exchange->data -= used;
		return used;
	}
	if (exchange->from != exchange->to && exchange->greeted)
		return 0;
	switch (protocol_take(&exchange->in, bytes, n, &used, &message, &why)) {
	case PROTOCOL_MORE:
		break;
	case PROTOCOL_DONE:
		exchange_take_message(exchange, &message);
		break;
	case PROTOCOL_BAD:
		if (why == NULL)
			exchange_reject_peer(exchange, STATUS_FRAMING, "is not");
		else
			exchange_refuse(exchange, why);
		break;
	}
	return used;
}

/* --- reports --- */

const char *
exchange_verified(const struct exchange *exchange)
{
	return exchange->digest ? "verified by SHA-256" : "not verified (one side has no digests)";
}

void
exchange_report_resumed(const char *name, uint64_t offset, uint64_t size)
{
	char amount[AMOUNT_ROOM], text[AMOUNT_ROOM + 16];
	amount_put_size(amount, offset);
	(void)snprintf(text, sizeof text, "%.0f %% (%s)",
		size > 0 ? (double)offset * 100 / (double)size : 100.0, amount);
	event_emit(&(struct event){ .kind = offset > 0 ? EVENT_file_resumed : EVENT_file_restarted,
		.object = name,
		.detail = offset > 0 ? text : NULL,
		.count = offset });
}

/* --- the operations of the stream --- */

/* The connection to another program is reset, so that it does not take for success that what it has
 * sent is lost, or that it has received a greeting. The verdict takes the place of the fault. */
static enum io
exchange_break(struct fault *fault)
{
	(void)fault_set_quiet(fault, STATUS_FRAMING);
	return IO_FAIL;
}

enum io
exchange_read(struct exchange *exchange, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	bool late = !exchange->over && clock_now() >= exchange->deadline;
	struct stream *stream = exchange->stream;
	if (exchange->from < exchange->to) {
		*got = stream_copy(pieces, count, exchange->out + exchange->from,
			exchange->to - exchange->from);
		exchange->from += *got;
		stream->read.at = stream->write.at = STREAM_NOW;
		return IO_OK;
	}
	if (late && !exchange->failed) {
		exchange_reject_peer(
			exchange, STATUS_TIMEOUT, "sent no greeting in time: it is not");
		return exchange_break(fault);
	}
	if (late)
		exchange_end(exchange);
	if (exchange->over)
		return IO_END;
	stream->read.at = exchange->deadline;
	return IO_AGAIN;
}

enum io
exchange_write(struct exchange *exchange, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	size_t total = stream_total(pieces, count), taken = 1;
	*put = 0;
	if (exchange->over && total > EXCHANGE_TAIL - exchange->tail)
		return IO_FAULT(fault, STATUS_FRAMING, 0,
			"receive from %s: the peer does not close the connection", exchange->peer);
	if (exchange->over)
		exchange->tail += total;
	for (int i = 0; i < count && taken > 0; i++) {
		const unsigned char *bytes = pieces[i].iov_base;
		for (size_t at = 0; at < pieces[i].iov_len && taken > 0; at += taken) {
			taken = exchange_take(exchange, bytes + at, pieces[i].iov_len - at);
			*put += taken;
		}
	}
	exchange->taken += *put;
	if (exchange->failed && !exchange->greeted && *put > 0)
		return exchange_break(fault);
	bool waits = *put == 0 && total > 0;
	exchange->stream->write.at = waits ? CLOCK_NEVER : STREAM_NOW;
	return waits ? IO_AGAIN : IO_OK;
}

enum io
exchange_shut(struct exchange *exchange, bool half_close, struct fault *fault)
{
	struct fault cut = FAULT_NONE;
	bool unfinished = !exchange->over && !exchange->failed, early = half_close && unfinished;
	if (early && !exchange->greeted) {
		exchange_reject_peer(
			exchange, STATUS_FRAMING, "ended without a greeting: it is not");
		/* It may be a tunnel whose other end is not there. */
		exchange->stream->stats.unfinished = true;
		return exchange_break(fault);
	} else if (early) {
		(void)fault_set(&cut, STATUS_CUT, 0,
			"receive from %s: the connection ended before the transfer was complete",
			exchange->peer);
		exchange_conclude(exchange, &cut);
	}
	exchange_end(exchange);
	exchange->stream->stats.unfinished = unfinished;
	return IO_OK;
}
