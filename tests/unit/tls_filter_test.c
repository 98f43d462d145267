/*
 * The waits of the TLS filter, by a library of one byte a record: 'd' is data, 'a' demands an
 * answer of 32 bytes, 'e' is close_notify, and 'h' ends the handshake. The stream below takes what
 * the test says.
 */
#include "filter/tls_filter.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"

#define TLS_TEST_ANSWER 32
/* More answers than the filter's queue has room for. */
#define TLS_TEST_MANY 5000
#define TLS_TEST_FD 1000
#define TLS_TEST_RECORD ((size_t)16384)

static struct {
	/* the stream below */
	const char *input; /* then `ended`, or nothing */
	size_t left;
	bool ended, reset, broken, relents; /* takes everything once the queue is full */
	size_t takes, taken;
	size_t unarrived; /* once it is broken */
	unsigned watched, looked, shuts, finishes, writes;
	/* the library */
	struct tls_bottom bottom;
	char ahead[256];
	size_t at, end, answers; /* bytes of answers that are due */
	bool closed;
} tls_test;

static enum io
tls_test_below_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	size_t n = stream_total(pieces, count);
	(void)stream;
	if (tls_test.left == 0 && tls_test.reset)
		return IO_FAULT(fault, STATUS_RECEIVE, ECONNRESET, "receive");
	if (tls_test.left == 0)
		return tls_test.ended ? IO_END : IO_AGAIN;
	n = stream_copy(pieces, count, tls_test.input, n < tls_test.left ? n : tls_test.left);
	tls_test.input += n;
	tls_test.left -= n;
	*got = n;
	return IO_OK;
}

static enum io
tls_test_break(struct stream *stream, struct fault *fault)
{
	stream->stats.broken = ECONNRESET;
	return IO_FAULT(fault, STATUS_SEND, ECONNRESET, "send");
}

static enum io
tls_test_below_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	size_t n = stream_total(pieces, count);
	if (count == 0)
		tls_test.looked++;
	if (tls_test.broken)
		return tls_test_break(stream, fault);
	if (count == 0 || tls_test.takes == 0)
		return IO_AGAIN;
	tls_test.writes++;
	*put = n < tls_test.takes ? n : tls_test.takes;
	tls_test.takes -= *put;
	tls_test.taken += *put;
	return IO_OK;
}

static enum io
tls_test_below_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	tls_test.finishes += half_close;
	tls_test.shuts++;
	stream->stats.unarrived = tls_test.broken ? tls_test.unarrived : 7;
	if (tls_test.broken)
		return tls_test_break(stream, fault);
	stream->write.at = 1;
	return IO_AGAIN;
}

static void
tls_test_below_watch(struct stream *stream)
{
	(void)stream;
	tls_test.watched++;
}

static void
tls_test_below_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops tls_test_below = {
	.read = tls_test_below_read,
	.write = tls_test_below_write,
	.shut = tls_test_below_shut,
	.watch = tls_test_below_watch,
	.close = tls_test_below_close,
};

static void *
tls_test_session_new(void *context, const struct tls_bottom *bottom, const char *peer,
	const char *name, struct fault *fault)
{
	(void)context, (void)peer, (void)name, (void)fault;
	tls_test.bottom = *bottom;
	return &tls_test;
}

static void
tls_test_session_free(void *session)
{
	(void)session;
}

/* The next byte, which is not taken before the answers that are due are written. */
static enum io
tls_test_next(char *byte)
{
	const struct tls_bottom *bottom = &tls_test.bottom;
	static const char answer[TLS_TEST_ANSWER];
	while (tls_test.answers > 0) {
		size_t put;
		enum io result = bottom->write(bottom->stream, answer, sizeof answer, &put);
		if (result == IO_AGAIN && tls_test.relents)
			tls_test.takes = SIZE_MAX;
		if (result != IO_OK)
			return result;
		CHECK(put == sizeof answer);
		tls_test.answers--;
	}
	if (tls_test.at == tls_test.end) {
		tls_test.at = tls_test.end = 0;
		enum io result = bottom->read(
			bottom->stream, tls_test.ahead, sizeof tls_test.ahead, &tls_test.end);
		if (result != IO_OK)
			return result == IO_END ? IO_FAIL : result;
	}
	*byte = tls_test.ahead[tls_test.at++];
	return IO_OK;
}

static enum io
tls_test_handshake(void *session, struct fault *fault)
{
	char byte = 0;
	(void)session, (void)fault;
	for (;;) {
		enum io result = tls_test_next(&byte);
		if (result != IO_OK || byte == 'h')
			return result;
		tls_test.answers += byte == 'a';
	}
}

static void
tls_test_describe(void *session, struct tls_facts *facts)
{
	(void)session;
	*facts = (struct tls_facts){ .version = "TLSv1.3", .cipher = "cipher" };
}

static enum io
tls_test_read(void *session, void *bytes, size_t size, size_t *got, struct fault *fault)
{
	char byte = 0;
	(void)session, (void)fault;
	CHECK(size > 0);
	while (!tls_test.closed) {
		enum io result = tls_test_next(&byte);
		if (result != IO_OK)
			return result;
		if (byte == 'd') {
			*(char *)bytes = byte;
			*got = 1;
			return IO_OK;
		}
		tls_test.answers += byte == 'a';
		tls_test.closed = byte == 'e';
	}
	return IO_END;
}

static bool
tls_test_pending(void *session)
{
	(void)session;
	return tls_test.at < tls_test.end;
}

static enum io
tls_test_write(void *session, const void *bytes, size_t size, size_t *put, struct fault *fault)
{
	(void)session, (void)fault;
	*put = 0;
	if (size > TLS_TEST_RECORD)
		size = TLS_TEST_RECORD;
	return tls_test.bottom.write(tls_test.bottom.stream, bytes, size, put);
}

static enum io
tls_test_shut(void *session, struct fault *fault)
{
	size_t put;
	(void)session, (void)fault;
	return tls_test.bottom.write(tls_test.bottom.stream, "e", 1, &put);
}

static const struct tls_ops tls_test_ops = {
	.session_new = tls_test_session_new,
	.session_free = tls_test_session_free,
	.handshake = tls_test_handshake,
	.describe = tls_test_describe,
	.read = tls_test_read,
	.pending = tls_test_pending,
	.write = tls_test_write,
	.shut = tls_test_shut,
};

static struct tls tls_test_tls = { .ops = &tls_test_ops };
static const struct tls_filter_config tls_test_config = { .tls = &tls_test_tls,
	.limit = CLOCK_SECOND };

/* The filter on a stream that is to send the input. */
static struct stream *
tls_test_begin(const char *input, size_t n)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = stream_new(&tls_test_below, strdup("below"), 0, &fault);
	memset(&tls_test, 0, sizeof tls_test);
	tls_test.input = input;
	tls_test.left = n;
	stream->read.fd = stream->write.fd = TLS_TEST_FD;
	CHECK(tls_filter_add(&stream, &tls_test_config, &fault));
	return stream;
}

static void
tls_test_end(struct stream *stream)
{
	stream_close(stream, true);
}

/* Whether the side waits for these events. */
static bool
tls_test_waits(const struct stream_side *side, short events)
{
	return side->at == 0 && side->fd == TLS_TEST_FD && side->events == events;
}

static enum io
tls_test_get(struct stream *stream, size_t *got)
{
	struct fault fault = FAULT_NONE;
	char bytes[16];
	struct iovec piece = { bytes, sizeof bytes };
	enum io result = stream_read(stream, &piece, 1, got, &fault);
	fault_clear(&fault);
	return result;
}

static struct stream *
tls_test_open(const char *input, size_t n)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = tls_test_begin(input, n);
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_OK);
	return stream;
}

static char tls_test_demands[TLS_TEST_MANY + 2];

/* Answers that are not taken wait; a read that the library cannot go on with waits for room. */
static void
tls_test_answers(void)
{
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	struct stream *stream = tls_test_open("had", 3);
	CHECK(tls_test_get(stream, &got) == IO_OK && got == 1);
	/* The answer is queued, and waits together with the input; a write sends it. */
	CHECK(stream->buffered && tls_test_waits(&stream->read, POLLIN | POLLOUT));
	tls_test.takes = SIZE_MAX;
	CHECK(stream_write(stream, NULL, 0, &got, &fault) == IO_OK);
	CHECK(tls_test.taken == TLS_TEST_ANSWER && tls_test_waits(&stream->read, POLLIN));
	tls_test_end(stream);

	/* So does a read. */
	stream = tls_test_open("had", 3);
	CHECK(tls_test_get(stream, &got) == IO_OK);
	tls_test.takes = SIZE_MAX;
	CHECK(tls_test_get(stream, &got) == IO_AGAIN && tls_test.taken == TLS_TEST_ANSWER);
	CHECK(!stream->buffered && tls_test_waits(&stream->read, POLLIN));
	tls_test_end(stream);

	/* Descriptors that differ are tried after a time. */
	stream = tls_test_open("had", 3);
	stream->lower->write.fd = TLS_TEST_FD + 1;
	CHECK(tls_test_get(stream, &got) == IO_OK && stream->read.at > clock_now());
	tls_test_end(stream);

	stream = tls_test_open(tls_test_demands, sizeof tls_test_demands);
	CHECK(tls_test_get(stream, &got) == IO_AGAIN && tls_test_waits(&stream->read, POLLOUT));
	CHECK(tls_test_get(stream, &got) == IO_AGAIN && tls_test_waits(&stream->read, POLLOUT));
	tls_test.takes = SIZE_MAX;
	while (tls_test_get(stream, &got) == IO_AGAIN)
		CHECK(stream->read.at == STREAM_NOW);
	CHECK(got == 1 && tls_test.taken == TLS_TEST_MANY * TLS_TEST_ANSWER);
	tls_test_end(stream);
}

/* The queue was full, and is written before the read returns: what the library has must not wait
 * for input that may never come. */
static void
tls_test_room(void)
{
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	struct stream *stream = tls_test_open(tls_test_demands, sizeof tls_test_demands);
	tls_test.relents = true;
	CHECK(tls_test_get(stream, &got) == IO_AGAIN && stream->read.at == STREAM_NOW);
	CHECK(tls_test_get(stream, &got) == IO_OK && got == 1 && tls_test.left == 0);
	tls_test_end(stream);

	/* The same in the handshake. */
	tls_test_demands[TLS_TEST_MANY] = 'h';
	stream = tls_test_begin(tls_test_demands + 1, TLS_TEST_MANY);
	tls_test.relents = true;
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_AGAIN && stream->read.at == STREAM_NOW);
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_OK);
	tls_test_end(stream);
}

/* What is sent without end and has no data does not keep a read from returning. */
static void
tls_test_turn(void)
{
	static char updates[1 << 20];
	size_t got = 0, turns = 0;
	updates[0] = 'h';
	updates[sizeof updates - 1] = 'd';
	struct stream *stream = tls_test_open(updates, sizeof updates);
	while (tls_test_get(stream, &got) == IO_AGAIN && turns++ < 10)
		CHECK(stream->read.at == STREAM_NOW);
	CHECK(got == 1 && turns > 1 && tls_test.left == 0);
	tls_test_end(stream);
}

/* Where the handshake is over for the peer only, as its last part waits to be sent, no close_notify
 * follows: that would be a clean end. */
static void
tls_test_unopened(void)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = tls_test_begin("ah", 2);
	CHECK(stream_open(stream, NULL, 1, &fault) == IO_AGAIN);
	tls_test.takes = SIZE_MAX;
	tls_test_end(stream);
	CHECK(tls_test.taken == TLS_TEST_ANSWER);

	stream = tls_test_open("h", 1);
	tls_test.takes = SIZE_MAX;
	tls_test_end(stream);
	CHECK(tls_test.taken == 1);
}

/* After close_notify the filter watches for a reset, and for the end. Whether the peer is still
 * there is watched by the stream below, when the relay asks for that. */
static void
tls_test_watch(void)
{
	struct fault fault = FAULT_NONE;
	size_t got = 0;
	struct stream *stream = tls_test_open("hd", 2);
	CHECK(tls_test_get(stream, &got) == IO_OK && tls_test.watched == 0);
	CHECK(stream->hangup.fd == -1);
	tls_test.input = "e";
	tls_test.left = 1;
	CHECK(tls_test_get(stream, &got) == IO_END && tls_test.watched == 0);
	stream_watch(stream);
	CHECK(tls_test.watched == 1);
	CHECK(tls_test_waits(&stream->hangup, POLLIN));
	tls_test.input = "ignored";
	tls_test.left = 7;
	CHECK(stream_look(stream, &fault) == IO_AGAIN && tls_test.left == 0);
	CHECK(tls_test_waits(&stream->hangup, POLLIN) && tls_test.looked == 0);
	tls_test.ended = true;
	CHECK(stream_look(stream, &fault) == IO_AGAIN && stream->hangup.fd == -1);
	CHECK(stream_look(stream, &fault) == IO_AGAIN && tls_test.looked == 1);
	tls_test_end(stream);

	stream = tls_test_open("he", 2);
	CHECK(tls_test_get(stream, &got) == IO_END);
	tls_test.reset = true;
	CHECK(stream_look(stream, &fault) == IO_FAIL && fault.status == STATUS_RECEIVE);
	fault_clear(&fault);
	tls_test_end(stream);
}

/* While close_notify is queued the progress of what is before it is known: a limit counts from it.
 */
static void
tls_test_progress(void)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = tls_test_open("h", 1);
	for (unsigned i = 1; i <= 3; i++) {
		CHECK(stream_shut(stream, true, &fault) == IO_AGAIN && stream->buffered);
		CHECK(tls_test.shuts == i && stream_stats(stream)->unarrived == 7);
		CHECK(stream->write.at == 1);
	}
	tls_test.takes = 1;
	CHECK(stream_shut(stream, true, &fault) == IO_AGAIN && !stream->buffered);
	CHECK(tls_test.shuts == 4 && tls_test.taken == 1);
	tls_test_end(stream);
}

/* Four records are written at once; what the stream below does not take is written first. */
static void
tls_test_records(void)
{
	static char bytes[8 * TLS_TEST_RECORD + 1];
	struct fault fault = FAULT_NONE;
	struct iovec pieces[2] = { { bytes, TLS_TEST_RECORD / 2 },
		{ bytes, sizeof bytes - TLS_TEST_RECORD / 2 } };
	size_t put = 0;
	struct stream *stream = tls_test_open("h", 1);
	tls_test.takes = SIZE_MAX;
	CHECK(stream_write(stream, pieces, 2, &put, &fault) == IO_OK && put == sizeof bytes);
	CHECK(tls_test.taken == put && tls_test.writes == 2 && !stream->buffered);
	tls_test_end(stream);

	stream = tls_test_open("h", 1);
	tls_test.takes = 5 * TLS_TEST_RECORD;
	CHECK(stream_write(stream, &pieces[1], 1, &put, &fault) == IO_OK && stream->buffered);
	CHECK(put == pieces[1].iov_len && tls_test.taken == 5 * TLS_TEST_RECORD);
	CHECK(stream_write(stream, &pieces[1], 1, &put, &fault) == IO_AGAIN && put == 0);
	tls_test.takes = SIZE_MAX;
	CHECK(stream_write(stream, NULL, 0, &put, &fault) == IO_OK && !stream->buffered);
	CHECK(tls_test.taken == pieces[1].iov_len);
	tls_test_end(stream);
}

/* A reset is no failure if only close_notify has not arrived, and the end if it was sent; where
 * what has not arrived is not known, it is one, unless there was no data. */
static void
tls_test_arrival(void)
{
	static const struct {
		size_t unarrived;
		bool data, finished;
		enum io result;
	} rows[] = {
		{ 0, true, false, IO_FAIL },
		{ 1, true, false, IO_OK },
		{ 2, true, false, IO_FAIL },
		{ 2, true, true, IO_OK },
		{ 3, true, true, IO_FAIL },
		{ 0, false, false, IO_OK },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fault fault = FAULT_NONE;
		char byte = 'd';
		struct iovec piece = { &byte, 1 };
		size_t n = 0;
		struct stream *stream = tls_test_open("h", 1);
		tls_test.takes = SIZE_MAX;
		if (rows[i].data)
			CHECK(stream_write(stream, &piece, 1, &n, &fault) == IO_OK && n == 1);
		CHECK(stream_shut(stream, true, &fault) == IO_AGAIN);
		tls_test.input = "e";
		tls_test.left = 1;
		CHECK(tls_test_get(stream, &n) == IO_END && tls_test.finishes == 0);
		if (rows[i].finished)
			CHECK(stream_shut(stream, true, &fault) == IO_AGAIN);
		CHECK(tls_test.finishes == rows[i].finished);
		tls_test.broken = true;
		tls_test.unarrived = rows[i].unarrived;
		CHECK(stream_shut(stream, true, &fault) == rows[i].result);
		fault_clear(&fault);
		tls_test_end(stream);
	}
}

int
main(void)
{
	memset(tls_test_demands, 'a', sizeof tls_test_demands);
	tls_test_demands[0] = 'h';
	tls_test_demands[TLS_TEST_MANY + 1] = 'd';
	tls_test_answers();
	tls_test_room();
	tls_test_turn();
	tls_test_unopened();
	tls_test_watch();
	tls_test_progress();
	tls_test_records();
	tls_test_arrival();
	return check_verdict("tls_filter");
}
