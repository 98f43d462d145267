/* Telnet around a stream; see telnet.h. */
#include "stream/telnet.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/layer.h"

#define TELNET_SE 240
#define TELNET_SB 250
#define TELNET_WILL 251
#define TELNET_WONT 252
#define TELNET_DO 253
#define TELNET_DONT 254
#define TELNET_IAC 255

/* Answers that wait to be sent. No more is read than they have room for. */
#define TELNET_OWED 16384

/* Between two attempts to send them. */
#define TELNET_PAUSE (50 * CLOCK_MILLISECOND)

struct telnet {
	struct stream inner;
	struct telnet_parser parser;
	unsigned char owed[TELNET_OWED];
	size_t owed_count;
	bool told_end;   /* nothing can be sent any more */
	bool read_waits; /* for answers to go out */
	/* Why an answer could not be sent: the kernel says so only once, so it is kept until what
	 * was received before has been read. */
	struct fault failure;
};

bool
telnet_feed(struct telnet_parser *parser, unsigned char byte, unsigned char *data,
	unsigned char answer[static TELNET_ANSWER], size_t *answered)
{
	*answered = 0;
	switch (parser->state) {
	case TELNET_DATA:
		if (byte == TELNET_IAC) {
			parser->state = TELNET_COMMAND;
			return false;
		}
		*data = byte;
		return true;
	case TELNET_COMMAND:
		parser->state = TELNET_DATA;
		if (byte == TELNET_IAC) {
			*data = byte;
			return true;
		}
		parser->verb = byte;
		if (byte == TELNET_SB)
			parser->state = TELNET_SUB;
		else if (byte >= TELNET_WILL)
			parser->state = TELNET_NEGOTIATION;
		return false;
	case TELNET_NEGOTIATION:
		parser->state = TELNET_DATA;
		/* A refusal is not answered: the answers would never end. */
		if (parser->verb == TELNET_WILL || parser->verb == TELNET_DO) {
			answer[0] = TELNET_IAC;
			answer[1] = parser->verb == TELNET_DO ? TELNET_WONT : TELNET_DONT;
			answer[2] = byte;
			*answered = TELNET_ANSWER;
		}
		return false;
	case TELNET_SUB:
		if (byte == TELNET_IAC)
			parser->state = TELNET_SUB_COMMAND;
		return false;
	case TELNET_SUB_COMMAND:
		parser->state = byte == TELNET_SE ? TELNET_DATA : TELNET_SUB;
		return false;
	}
	return false;
}

/* Sends what is owed: IO_OK when nothing is left. */
static enum io
telnet_flush(struct telnet *telnet, struct fault *fault)
{
	struct stream *inner = &telnet->inner;
	while (telnet->owed_count > 0) {
		struct iovec piece = { telnet->owed, telnet->owed_count };
		size_t put = 0;
		enum io result = inner->ops->write(inner, &piece, 1, &put, fault);
		if (result != IO_OK)
			return result;
		telnet->owed_count -= put;
		memmove(telnet->owed, telnet->owed + put, telnet->owed_count);
	}
	return IO_OK;
}

/* Sends answers at once, as sending may be over for everything else. What does not go is kept. */
static void
telnet_try(struct telnet *telnet)
{
	if (telnet_flush(telnet, &telnet->failure) == IO_FAIL)
		telnet->owed_count = 0;
}

/* The failure that was kept, if there is one. */
static bool
telnet_has_failed(struct telnet *telnet, struct fault *fault)
{
	if (!fault_is_set(&telnet->failure))
		return false;
	if (!fault_is_set(fault))
		fault_move(fault, &telnet->failure);
	fault_clear(&telnet->failure);
	return true;
}

static void
telnet_owe(struct telnet *telnet, const unsigned char *bytes, size_t n)
{
	if (telnet->told_end)
		return;
	memcpy(telnet->owed + telnet->owed_count, bytes, n);
	telnet->owed_count += n;
}

static void
telnet_leave(struct stream *stream)
{
	struct telnet *telnet = stream->impl;
	layer_leave(stream, &telnet->inner);
	stream->kept = telnet->owed_count > 0;
	if (telnet->read_waits) {
		stream->rfd = telnet->inner.wfd;
		stream->rwait = telnet->inner.wwait;
	}
}

static enum io
telnet_open(struct stream *stream, struct fault *fault)
{
	(void)stream;
	(void)fault;
	return IO_OK;
}

/* Takes the commands out of the n bytes in the pieces; returns how many are left. */
static size_t
telnet_strip(struct telnet *telnet, const struct iovec *pieces, int count, size_t n)
{
	size_t kept = 0, to = 0;
	int to_piece = 0;
	for (int i = 0; i < count && n > 0; i++) {
		const unsigned char *from = pieces[i].iov_base;
		for (size_t at = 0; at < pieces[i].iov_len && n > 0; at++, n--) {
			unsigned char data, answer[TELNET_ANSWER];
			size_t answered;
			if (telnet_feed(&telnet->parser, from[at], &data, answer, &answered)) {
				if (to == pieces[to_piece].iov_len) {
					to_piece++;
					to = 0;
				}
				((unsigned char *)pieces[to_piece].iov_base)[to++] = data;
				kept++;
			}
			telnet_owe(telnet, answer, answered);
		}
	}
	return kept;
}

static enum io
telnet_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct telnet *telnet = stream->impl;
	struct stream *inner = &telnet->inner;
	struct iovec cut[2];
	int used = 0;
	layer_enter(stream, inner);
	telnet->read_waits = false;
	telnet_try(telnet);
	/* A command may have begun in the bytes before. */
	if (telnet->owed_count + 2 * TELNET_ANSWER > sizeof telnet->owed) {
		enum io flushed = telnet_flush(telnet, fault);
		if (flushed != IO_OK) {
			telnet->read_waits = flushed == IO_AGAIN;
			telnet_leave(stream);
			return flushed;
		}
	}
	size_t room = sizeof telnet->owed - telnet->owed_count - TELNET_ANSWER;
	for (int i = 0; i < count && i < 2 && room > 0; i++) {
		cut[i] = pieces[i];
		if (cut[i].iov_len > room)
			cut[i].iov_len = room;
		room -= cut[i].iov_len;
		used = i + 1;
	}
	enum io result = inner->ops->read(inner, cut, used, got, fault);
	if (result == IO_OK) {
		*got = telnet_strip(telnet, cut, used, *got);
		telnet_try(telnet);
	}
	if (result != IO_OK && telnet_has_failed(telnet, fault))
		result = IO_FAIL;
	/* Where nothing else is sent, nobody looks when they can go. */
	if (result != IO_FAIL && telnet->owed_count > 0 && !stream->last)
		inner->ragain = clock_after(clock_now(), TELNET_PAUSE);
	telnet_leave(stream);
	return result;
}

/* The pieces up to and with the first byte 255; the number of pieces. */
static int
telnet_cut(const struct iovec *pieces, int count, struct iovec cut[static 2], bool *escape)
{
	*escape = false;
	for (int i = 0; i < count && i < 2; i++) {
		const unsigned char *from = pieces[i].iov_base;
		const unsigned char *iac = memchr(from, TELNET_IAC, pieces[i].iov_len);
		cut[i] = pieces[i];
		if (iac != NULL) {
			cut[i].iov_len = (size_t)(iac - from) + 1;
			*escape = true;
			return i + 1;
		}
	}
	return count < 2 ? count : 2;
}

static enum io
telnet_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	static const unsigned char iac[] = { TELNET_IAC };
	struct telnet *telnet = stream->impl;
	struct stream *inner = &telnet->inner;
	bool owed = telnet->owed_count > 0, escape;
	struct iovec cut[2];
	*put = 0;
	layer_enter(stream, inner);
	enum io result = telnet_has_failed(telnet, fault) ? IO_FAIL : telnet_flush(telnet, fault);
	if (result == IO_OK && (count > 0 || !owed)) {
		int used = telnet_cut(pieces, count, cut, &escape);
		result = inner->ops->write(inner, cut, used, put, fault);
		/* Its double follows before anything else. */
		if (result == IO_OK && escape && *put == stream_total(cut, used))
			telnet_owe(telnet, iac, sizeof iac);
	}
	telnet_leave(stream);
	return result;
}

static enum io
telnet_shut(struct stream *stream, struct fault *fault)
{
	struct telnet *telnet = stream->impl;
	layer_enter(stream, &telnet->inner);
	enum io result = telnet_has_failed(telnet, fault) ? IO_FAIL
		: telnet->told_end                        ? IO_OK
							  : telnet_flush(telnet, fault);
	if (result == IO_OK) {
		telnet->told_end |= stream->half_close;
		if (telnet->told_end)
			telnet->owed_count = 0;
		result = telnet->inner.ops->shut(&telnet->inner, fault);
	}
	telnet_leave(stream);
	return result;
}

static void
telnet_close(struct stream *stream)
{
	struct telnet *telnet = stream->impl;
	layer_enter(stream, &telnet->inner);
	telnet->inner.ops->close(&telnet->inner);
	fault_clear(&telnet->failure);
	free(telnet);
}

static const struct stream_ops telnet_ops = {
	.open = telnet_open,
	.read = telnet_read,
	.write = telnet_write,
	.shut = telnet_shut,
	.close = telnet_close,
};

bool
telnet_init(struct stream *stream, struct fault *fault)
{
	struct telnet *telnet = calloc(1, sizeof *telnet);
	if (telnet == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "telnet with %s", stream->name);
	layer_init(stream, &telnet->inner, &telnet_ops, telnet);
	return true;
}
