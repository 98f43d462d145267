/*
 * Two DTLS filters with the real library, over a network that loses, doubles, changes and reorders
 * datagrams, and is full at times. What one side reads the other one has written, whole, and once;
 * nothing fails, and the end is read only when the other side has closed. The handshake loses
 * nothing, as its timers would take seconds.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "filter/dtls_filter.h"

#define DTLS_RANDOM_SESSIONS 60
#define DTLS_RANDOM_TURNS 300
#define DTLS_RANDOM_QUEUE 256
#define DTLS_RANDOM_DATAGRAM 2048
#define DTLS_RANDOM_MESSAGES 2048

/* Datagrams on their way to a side. */
struct dtls_random_way {
	unsigned char bytes[DTLS_RANDOM_QUEUE][DTLS_RANDOM_DATAGRAM];
	size_t lengths[DTLS_RANDOM_QUEUE];
	size_t count;
};

struct dtls_random_side {
	struct stream *stream;
	struct dtls_random_way in;
	struct dtls_random_side *other;
	struct iovec batch[DTLS_RANDOM_QUEUE];
	uint32_t written;                /* messages, which are numbered */
	bool seen[DTLS_RANDOM_MESSAGES]; /* those of the other side */
	size_t seen_count;
	bool ended;
};

static struct {
	uint64_t state;
	bool harms; /* the network loses and changes datagrams */
	struct dtls_random_side sides[2];
} dtls_random;

/* A number below n, by xorshift64. */
static uint32_t
dtls_random_below(uint32_t n)
{
	dtls_random.state ^= dtls_random.state << 13;
	dtls_random.state ^= dtls_random.state >> 7;
	dtls_random.state ^= dtls_random.state << 17;
	return (uint32_t)(dtls_random.state >> 32) % n;
}

/* Nothing may fail; what came after that would mean nothing. */
static void
dtls_random_fail(const struct fault *fault)
{
	(void)fprintf(stderr, "%s\n", fault->text != NULL ? fault->text : "no text");
	exit(1);
}

/* --- the streams below --- */

static struct dtls_random_side *
dtls_random_of(const struct stream *stream)
{
	return *(struct dtls_random_side **)stream->impl;
}

static enum io
dtls_random_below_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct dtls_random_side *side = dtls_random_of(stream);
	struct dtls_random_way *in = &side->in;
	size_t n = in->count;
	(void)fault;
	if (n > 1)
		n = 1 + dtls_random_below((uint32_t)n);
	*got = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char *at = (unsigned char *)pieces->iov_base + *got;
		CHECK(count == 1 && pieces->iov_len - *got >= in->lengths[i]);
		memcpy(at, in->bytes[i], in->lengths[i]);
		side->batch[i] = (struct iovec){ at, in->lengths[i] };
		*got += in->lengths[i];
	}
	in->count -= n;
	memmove(in->bytes, in->bytes + n, in->count * sizeof in->bytes[0]);
	memmove(in->lengths, in->lengths + n, in->count * sizeof in->lengths[0]);
	stream->loan = (struct stream_loan){ .messages = side->batch, .count = n };
	return n > 0 ? IO_OK : IO_AGAIN;
}

/* Puts a datagram at the end, or before others. */
static void
dtls_random_pass(struct dtls_random_way *way, const unsigned char *bytes, size_t length)
{
	size_t at = way->count;
	if (way->count == DTLS_RANDOM_QUEUE)
		return;
	if (dtls_random_below(4) == 0)
		at = dtls_random_below((uint32_t)way->count + 1);
	memmove(way->bytes + at + 1, way->bytes + at, (way->count - at) * sizeof way->bytes[0]);
	memmove(way->lengths + at + 1, way->lengths + at,
		(way->count - at) * sizeof way->lengths[0]);
	memcpy(way->bytes[at], bytes, length);
	way->lengths[at] = length;
	way->count++;
	if (dtls_random.harms && length > 0 && dtls_random_below(8) == 0)
		way->bytes[at][dtls_random_below((uint32_t)length)] ^= 1U << dtls_random_below(8);
	if (dtls_random.harms && length > 0 && dtls_random_below(16) == 0)
		way->lengths[at] = dtls_random_below((uint32_t)length);
}

static enum io
dtls_random_below_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct dtls_random_way *way = &dtls_random_of(stream)->other->in;
	(void)fault;
	CHECK(count == 1 && pieces->iov_len <= 1400 - 48);
	if (dtls_random.harms && dtls_random_below(8) == 0)
		return IO_AGAIN;
	*put = 1;
	if (dtls_random.harms && dtls_random_below(8) == 0)
		return IO_OK;
	for (uint32_t i = 0; i == 0 || (i < 3 && dtls_random_below(4) == 0); i++)
		dtls_random_pass(way, pieces->iov_base, pieces->iov_len);
	return IO_OK;
}

static void
dtls_random_below_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops dtls_random_below_ops = {
	.read = dtls_random_below_read,
	.write = dtls_random_below_write,
	.close = dtls_random_below_close,
};

/* --- the messages: a number, and bytes that follow from it --- */

static size_t
dtls_random_make(unsigned char *bytes, uint32_t number, size_t length)
{
	memcpy(bytes, &number, sizeof number);
	for (size_t i = sizeof number; i < length; i++)
		bytes[i] = (unsigned char)(number * 31 + i * 7);
	return length;
}

static void
dtls_random_take(struct dtls_random_side *side, const struct iovec *message)
{
	unsigned char wanted[DTLS_RANDOM_DATAGRAM];
	uint32_t number = UINT32_MAX;
	CHECK(message->iov_len >= sizeof number && message->iov_len <= sizeof wanted);
	memcpy(&number, message->iov_base, sizeof number);
	CHECK(number < side->other->written && !side->seen[number]);
	(void)dtls_random_make(wanted, number, message->iov_len);
	CHECK(memcmp(wanted, message->iov_base, message->iov_len) == 0);
	side->seen[number] = true;
	side->seen_count++;
}

static enum io
dtls_random_read(struct dtls_random_side *side)
{
	static unsigned char space[3 * TLS_MESSAGE_MAX];
	struct iovec piece = { space, TLS_MESSAGE_MAX * (1 + dtls_random_below(3)) };
	struct fault fault = FAULT_NONE;
	size_t got = 0, sum = 0;
	enum io result = stream_read(side->stream, &piece, 1, &got, &fault);
	if (result == IO_FAIL)
		dtls_random_fail(&fault);
	for (size_t i = 0; result == IO_OK && i < side->stream->loan.count; i++) {
		dtls_random_take(side, &side->stream->loan.messages[i]);
		sum += side->stream->loan.messages[i].iov_len;
	}
	CHECK(sum == got);
	side->ended |= result == IO_END;
	return result;
}

static void
dtls_random_write(struct dtls_random_side *side)
{
	unsigned char bytes[3][DTLS_RANDOM_DATAGRAM];
	struct iovec pieces[3];
	struct fault fault = FAULT_NONE;
	size_t most = side->stream->caps.message_max, put = 0;
	int count = 1 + (int)dtls_random_below(3);
	CHECK(most > 1000 && most < 1400);
	for (int i = 0; i < count; i++) {
		size_t length = dtls_random_below(4) == 0 ? most : 4 + dtls_random_below(400);
		pieces[i] = (struct iovec){ bytes[i],
			dtls_random_make(bytes[i], side->written + (uint32_t)i, length) };
	}
	/* They may arrive at once. */
	enum io result = stream_write(side->stream, pieces, count, &put, &fault);
	if (result == IO_FAIL)
		dtls_random_fail(&fault);
	CHECK(result == (put > 0 ? IO_OK : IO_AGAIN) && put <= (size_t)count);
	side->written += (uint32_t)put;
}

/* --- sessions --- */

static void
dtls_random_open_side(struct dtls_random_side *side, const struct tls_filter_config *config)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = stream_new(
		&dtls_random_below_ops, strdup("below"), sizeof(struct dtls_random_side *), &fault);
	*(struct dtls_random_side **)stream->impl = side;
	stream->caps.messages = true;
	CHECK(dtls_filter_add(&stream, config, NULL, &fault));
	side->stream = stream;
}

static bool
dtls_random_handshake(void)
{
	struct fault fault = FAULT_NONE;
	bool open = true;
	for (unsigned i = 0; i < 2; i++) {
		enum io result =
			stream_open(dtls_random.sides[i].stream, NULL, clock_now(), &fault);
		if (result == IO_FAIL)
			dtls_random_fail(&fault);
		open &= result == IO_OK;
	}
	return open;
}

static void
dtls_random_session(const struct tls_filter_config configs[2])
{
	memset(dtls_random.sides, 0, sizeof dtls_random.sides);
	dtls_random.harms = false;
	for (unsigned i = 0; i < 2; i++) {
		dtls_random.sides[i].other = &dtls_random.sides[1 - i];
		dtls_random_open_side(&dtls_random.sides[i], &configs[i]);
	}
	/* What is in another order may have to be sent again, a second later. */
	while (!dtls_random_handshake())
		;
	dtls_random.harms = true;
	for (unsigned turn = 0; turn < DTLS_RANDOM_TURNS; turn++) {
		struct dtls_random_side *side = &dtls_random.sides[dtls_random_below(2)];
		if (dtls_random_below(2) == 0)
			dtls_random_write(side);
		else
			CHECK(dtls_random_read(side) != IO_END);
	}
	dtls_random.harms = false;
	struct dtls_random_side *first = &dtls_random.sides[dtls_random_below(2)];
	struct dtls_random_side *second = first->other;
	/* A datagram that is certain to arrive. */
	while (second->in.count > 0 || stream_is_ready(second->stream))
		CHECK(dtls_random_read(second) != IO_END);
	stream_close(first->stream, true);
	while (!second->ended)
		CHECK(dtls_random_read(second) != IO_OK);
	CHECK(first->seen_count > 10 && second->seen_count > 10);
	stream_close(second->stream, true);
}

int
main(void)
{
	const struct tls_settings settings[2] = {
		{ .server = true, .datagrams = true, .self_signed = true },
		{ .datagrams = true, .unverified = true },
	};
	struct tls_filter_config configs[2] = { { .limit = CLOCK_NEVER },
		{ .limit = CLOCK_NEVER } };
	struct fault fault = FAULT_NONE;
	for (unsigned i = 0; i < 2; i++) {
		configs[i].tls = tls_new(&settings[i], &fault);
		if (configs[i].tls == NULL)
			dtls_random_fail(&fault);
	}
	for (unsigned i = 1; i <= DTLS_RANDOM_SESSIONS; i++) {
		dtls_random.state = i * UINT64_C(0x9e3779b97f4a7c15);
		dtls_random_session(configs);
	}
	for (unsigned i = 0; i < 2; i++)
		tls_free(configs[i].tls);
	return check_verdict("dtls_random");
}
