/* The telnet protocol; see telnet.h. */
#include "filter/telnet.h"

#include <string.h>

#include "base/clock.h"
#include "filter/filter.h"

#define TELNET_SE 240
#define TELNET_SB 250
#define TELNET_WILL 251
#define TELNET_WONT 252
#define TELNET_DO 253
#define TELNET_DONT 254
#define TELNET_IAC 255

/* The size of the queue of answers. No more is read than the answers have room for. */
#define TELNET_QUEUE 16384

/* The time between attempts to send them. */
#define TELNET_PAUSE (50 * CLOCK_MILLISECOND)

struct telnet {
	struct telnet_parser parser;
	unsigned char queued[TELNET_QUEUE];
	size_t queued_count;
	bool ended;       /* the lower stream is shut */
	bool read_waits;  /* the read waits until answers can be sent */
	bool sent_return; /* the last byte sent was a CR, which needs a LF or NUL (RFC 854) */
	/* Of an answer that could not be sent; reported when everything received is read. */
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
		/* CR NUL is a carriage return (RFC 854), also with a command in between. */
		if (byte == '\0' && parser->carriage_return) {
			parser->carriage_return = false;
			return false;
		}
		parser->carriage_return = byte == '\r';
		*data = byte;
		return true;
	case TELNET_COMMAND:
		parser->state = TELNET_DATA;
		if (byte == TELNET_IAC) {
			parser->carriage_return = false;
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
		/* Refusals are not answered, or the answers would never end. */
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

/* Sends the queued answers: IO_OK when none is left. */
static enum io
telnet_flush(struct stream *stream, struct fault *fault)
{
	struct telnet *telnet = stream->impl;
	while (telnet->queued_count > 0) {
		struct iovec piece = { telnet->queued, telnet->queued_count };
		size_t put = 0;
		enum io result = stream_write(stream->lower, &piece, 1, &put, fault);
		if (result != IO_OK)
			return result;
		telnet->queued_count -= put;
		memmove(telnet->queued, telnet->queued + put, telnet->queued_count);
	}
	return IO_OK;
}

/* Sends answers from a read, as nothing else may be written any more; what is left stays queued. */
static void
telnet_try(struct stream *stream)
{
	struct telnet *telnet = stream->impl;
	if (telnet_flush(stream, &telnet->failure) == IO_FAIL)
		telnet->queued_count = 0;
}

/* Moves the stored failure to the caller. */
static bool
telnet_has_failed(struct telnet *telnet, struct fault *fault)
{
	if (!fault_is_set(&telnet->failure))
		return false;
	fault_move(fault, &telnet->failure);
	return true;
}

static void
telnet_queue(struct telnet *telnet, const unsigned char *bytes, size_t n)
{
	if (telnet->ended)
		return;
	memcpy(telnet->queued + telnet->queued_count, bytes, n);
	telnet->queued_count += n;
}

/* States the sides after an operation. */
static void
telnet_follow(struct stream *stream)
{
	const struct telnet *telnet = stream->impl;
	stream_follow(stream);
	stream->buffered |= telnet->queued_count > 0;
	if (telnet->read_waits) {
		stream->read = stream->write;
		stream->read.draining = stream->lower->read.draining;
	}
}

/* Removes the commands from the n bytes in the pieces; returns the number of bytes left. */
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
			telnet_queue(telnet, answer, answered);
		}
	}
	return kept;
}

static enum io
telnet_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct telnet *telnet = stream->impl;
	struct iovec cut[2];
	telnet->read_waits = false;
	telnet_try(stream);
	/* The last byte may complete a command that began before. */
	if (telnet->queued_count + 2 * TELNET_ANSWER > sizeof telnet->queued) {
		enum io flushed = telnet_flush(stream, fault);
		if (flushed != IO_OK) {
			telnet->read_waits = flushed == IO_AGAIN;
			telnet_follow(stream);
			return flushed;
		}
	}
	size_t room = sizeof telnet->queued - telnet->queued_count - TELNET_ANSWER;
	int used = stream_cut(pieces, count, room, cut, 2);
	enum io result = stream_read(stream->lower, cut, used, got, fault);
	if (result == IO_OK) {
		*got = telnet_strip(telnet, cut, used, *got);
		telnet_try(stream);
	}
	if (result == IO_END && telnet->parser.state != TELNET_DATA) {
		(void)fault_set(fault, STATUS_CUT, 0,
			"receive from %s: the stream ended inside a telnet command", stream->name);
		result = IO_FAIL;
	}
	if (result != IO_OK && telnet_has_failed(telnet, fault))
		result = IO_FAIL;
	telnet_follow(stream);
	/* If nothing else is sent, no flow waits until the answers can be. */
	if (result != IO_FAIL && telnet->queued_count > 0 && !stream->read.draining)
		stream->read.at = clock_after(clock_now(), TELNET_PAUSE);
	return result;
}

/* Whether a byte of the pieces is followed by LF, or is the last one. */
static bool
telnet_ends_line(const struct iovec *pieces, int count, int i, size_t at)
{
	for (at++; i < count; i++, at = 0)
		if (at < pieces[i].iov_len)
			return ((const unsigned char *)pieces[i].iov_base)[at] == '\n';
	return true;
}

/* Cuts the pieces after the first byte that needs another one inserted: 255, or a CR that no LF
 * follows. Returns the number of pieces. */
static int
telnet_cut(const struct iovec *pieces, int count, struct iovec cut[static 2])
{
	count = count < 2 ? count : 2;
	for (int i = 0; i < count; i++) {
		const unsigned char *from = pieces[i].iov_base;
		cut[i] = pieces[i];
		for (size_t at = 0; at < pieces[i].iov_len; at++) {
			if (from[at] != TELNET_IAC &&
				(from[at] != '\r' || telnet_ends_line(pieces, count, i, at)))
				continue;
			cut[i].iov_len = at + 1;
			return i + 1;
		}
	}
	return count;
}

/* The byte at an offset of the pieces. */
static unsigned char
telnet_byte(const struct iovec *pieces, size_t offset)
{
	while (offset >= pieces->iov_len)
		offset -= pieces++->iov_len;
	return ((const unsigned char *)pieces->iov_base)[offset];
}

static enum io
telnet_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	static const unsigned char iac[] = { TELNET_IAC }, nul[] = { '\0' };
	struct telnet *telnet = stream->impl;
	bool queued = telnet->queued_count > 0;
	struct iovec cut[2];
	*put = 0;
	if (telnet->sent_return && stream_total(pieces, count) > 0) {
		telnet->sent_return = false;
		if (telnet_byte(pieces, 0) != '\n')
			telnet_queue(telnet, nul, sizeof nul);
	}
	enum io result = telnet_has_failed(telnet, fault) ? IO_FAIL : telnet_flush(stream, fault);
	if (result == IO_OK && (count > 0 || !queued)) {
		int used = telnet_cut(pieces, count, cut);
		result = stream_write(stream->lower, cut, used, put, fault);
		if (result == IO_OK && *put > 0) {
			unsigned char last = telnet_byte(cut, *put - 1);
			/* The byte 255 is doubled before other data is sent. */
			if (last == TELNET_IAC)
				telnet_queue(telnet, iac, sizeof iac);
			telnet->sent_return = last == '\r';
		}
	}
	telnet_follow(stream);
	return result;
}

static enum io
telnet_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct telnet *telnet = stream->impl;
	enum io result = telnet_has_failed(telnet, fault) ? IO_FAIL
		: telnet->ended                           ? IO_OK
							  : telnet_flush(stream, fault);
	if (result == IO_OK) {
		telnet->ended |= half_close;
		if (telnet->ended)
			telnet->queued_count = 0;
		result = stream_shut(stream->lower, half_close, fault);
	}
	telnet_follow(stream);
	return result;
}

static void
telnet_close(struct stream *stream, bool clean)
{
	struct telnet *telnet = stream->impl;
	(void)clean;
	fault_clear(&telnet->failure);
}

static const struct stream_ops telnet_ops = {
	.read = telnet_read,
	.write = telnet_write,
	.shut = telnet_shut,
	.close = telnet_close,
};

bool
telnet_add(struct stream **top, struct fault *fault)
{
	return filter_add(top, &telnet_ops, sizeof(struct telnet), fault) != NULL;
}
