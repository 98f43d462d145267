/*
 * The channels of a flow, without a kernel: the stages of the program, and a counter and a
 * byte-rate gate that exist only here, with which splice still runs; batches of messages; and when
 * splice gives way to reads.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "flow/flow.h"
#include "flow/stage.h"

#define CHANNEL_TEST_MOST ((size_t)1024 * 1024)

/* Bytes per millisecond, and at most per write, of the gate. */
#define CHANNEL_TEST_RATE 10

struct channel_test {
	struct stream source, sink;
	struct flow flow;
	struct pollset pollset;
	const char *input;
	size_t left;  /* bytes of it */
	size_t piece; /* the largest read */
	size_t each;  /* the size of its messages; 0: one message a read */
	struct iovec messages[16];
	unsigned char got[CHANNEL_TEST_MOST];
	size_t count;           /* bytes of it */
	size_t writes, spliced; /* calls that moved something */
	size_t longest;         /* bytes of the longest write */
	size_t reads;           /* by the source's own operation */
	size_t readable;        /* bytes that the kernel says are there to read */
	size_t ends;            /* how often the source has said that it has ended */
	bool urgent;            /* the kernel does not splice what is next */
	bool blocks;            /* the kernel does not splice into the sink now */
	bool stays;             /* the source does not end */
	bool told_end;
};

static struct channel_test channel_test_now;

static enum io
channel_test_give(struct channel_test *test, const struct iovec *pieces, size_t *got)
{
	struct stream *stream = &test->source;
	size_t n = pieces[0].iov_len < test->piece ? pieces[0].iov_len : test->piece;
	test->ends += test->left == 0 && !test->stays;
	if (test->left == 0)
		return test->stays ? IO_AGAIN : IO_END;
	n = n < test->left ? n : test->left;
	memcpy(pieces[0].iov_base, test->input, n);
	test->input += n;
	test->left -= n;
	*got = n;
	if (test->each == 0)
		return IO_OK;
	stream->loan.messages = test->messages;
	stream->loan.count = n / test->each;
	for (size_t i = 0; i < stream->loan.count; i++)
		test->messages[i] =
			(struct iovec){ (char *)pieces[0].iov_base + i * test->each, test->each };
	return IO_OK;
}

static enum io
channel_test_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct channel_test *test = stream->impl;
	(void)count, (void)fault;
	test->reads++;
	test->urgent = stream->ready = false;
	return channel_test_give(test, pieces, got);
}

static void
channel_test_take(struct channel_test *test, const void *bytes, size_t n)
{
	CHECK(test->count + n <= sizeof test->got);
	if (n > 0)
		memcpy(test->got + test->count, bytes, n);
	test->count += n;
}

static enum io
channel_test_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct channel_test *test = stream->impl;
	(void)fault;
	for (int i = 0; i < count; i++)
		channel_test_take(test, pieces[i].iov_base, pieces[i].iov_len);
	*put = stream_total(pieces, count);
	test->longest = *put > test->longest ? *put : test->longest;
	test->writes++;
	if (stream->caps.message_max > 0)
		*put = (size_t)count;
	return IO_OK;
}

static enum io
channel_test_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct channel_test *test = stream->impl;
	(void)fault;
	test->told_end = half_close;
	return IO_OK;
}

static const struct stream_ops channel_test_ops = {
	.read = channel_test_read,
	.write = channel_test_write,
	.shut = channel_test_shut,
};

ssize_t __wrap_sys_splice(int from, int to, size_t n);

ssize_t
__wrap_sys_splice(int from, int to, size_t n)
{
	struct channel_test *test = &channel_test_now;
	char bytes[4096];
	ssize_t moved;
	if (from == 1000) {
		struct iovec piece = { bytes, n < sizeof bytes ? n : sizeof bytes };
		size_t got = 0;
		enum io result = test->urgent ? IO_AGAIN : channel_test_give(test, &piece, &got);
		errno = EAGAIN;
		if (result != IO_OK)
			return result == IO_END ? 0 : -1;
		moved = write(to, bytes, got);
	} else if (test->blocks) {
		errno = EAGAIN;
		return -1;
	} else {
		moved = read(from, bytes, n < sizeof bytes ? n : sizeof bytes);
		channel_test_take(test, bytes, moved > 0 ? (size_t)moved : 0);
	}
	test->spliced += moved > 0;
	return moved;
}

bool __wrap_sys_readable(int fd, size_t *amount);

bool
__wrap_sys_readable(int fd, size_t *amount)
{
	CHECK(fd == 1000);
	*amount = channel_test_now.readable;
	return true;
}

static struct channel_test *
channel_test_begin_with(const char *input, const struct stage *stages, size_t message_max,
	struct flow_config config)
{
	static char source_name[] = "source", sink_name[] = "sink";
	struct channel_test *test = &channel_test_now;
	struct fault fault = FAULT_NONE;
	config.stages = stages;
	config.half_close = config.splice = true;
	*test = (struct channel_test){ .input = input, .left = strlen(input), .piece = SIZE_MAX };
	stream_init(&test->source, &channel_test_ops, source_name, test);
	stream_init(&test->sink, &channel_test_ops, sink_name, test);
	test->source.read.fd = test->source.read.splice = 1000;
	test->sink.write.fd = test->sink.write.splice = 2000;
	test->source.caps.messages =
		message_max > 0 || (config.encode != NULL && config.decode == NULL);
	test->sink.caps.message_max = message_max;
	test->sink.caps.batch = message_max > 0 ? 8 : 0;
	CHECK(flow_open(&test->flow, &test->source, &test->sink, &config, 0, &fault));
	return test;
}

static struct channel_test *
channel_test_begin(const char *input, const struct stage *stages, size_t message_max)
{
	return channel_test_begin_with(
		input, stages, message_max, (struct flow_config){ .buffer = 64 });
}

/* One turn in which all descriptors fire; the time that it would wait until. */
static int64_t
channel_test_turn(struct channel_test *test, int64_t now)
{
	pollset_begin(&test->pollset);
	flow_ask(&test->flow, &test->pollset, now);
	for (size_t i = 0; i < test->pollset.count; i++)
		test->pollset.polls[i].revents = test->pollset.polls[i].events;
	int64_t deadline = test->pollset.deadline;
	flow_step(&test->flow, &test->pollset, now);
	return deadline;
}

static bool
channel_test_got(const struct channel_test *test, const char *text)
{
	return test->count == strlen(text) && memcmp(test->got, text, test->count) == 0;
}

static void
channel_test_end(struct channel_test *test)
{
	CHECK(test->flow.read == test->flow.written + test->flow.lost);
	CHECK(!fault_is_set(&test->flow.fault));
	flow_close(&test->flow);
	pollset_close(&test->pollset);
}

/* --- the rows of the program --- */

static void
channel_test_crlf(void)
{
	const struct stage stages[] = { crlf_stage, { .ops = NULL } };
	struct channel_test *test = channel_test_begin("a\nb\r\nc", stages, 0);
	test->piece = 4;
	for (int turn = 0; turn < 8; turn++)
		(void)channel_test_turn(test, turn);
	CHECK(channel_test_got(test, "a\r\nb\r\nc") && test->spliced == 0 && test->told_end);
	channel_test_end(test);
	/* The kernel cannot do it, however much is read. */
	test = channel_test_begin("0123456789012345\n0123456789012345678901234567890", stages, 0);
	for (int turn = 0; turn < 8; turn++)
		(void)channel_test_turn(test, turn);
	CHECK(test->count == 49 && test->spliced == 0);
	channel_test_end(test);
	/* A message ends where a CR is not the beginning of a line end. */
	test = channel_test_begin("a\r\nb", stages, 100);
	test->piece = 2;
	for (int turn = 0; turn < 8; turn++)
		(void)channel_test_turn(test, turn);
	CHECK(channel_test_got(test, "a\r\r\nb") && test->writes == 2);
	channel_test_end(test);
}

/* A transform of a large message, and its encoding, which needs as much room again. */
static void
channel_test_crlf_encoded(void)
{
	enum { LENGTH = 100000 };
	static char input[LENGTH + 1];
	const struct stage stages[] = { crlf_stage, { .ops = NULL } };
	struct flow_config config = { .buffer = CHANNEL_TEST_MOST };
	struct frame frame;
	struct fault fault = FAULT_NONE;
	CHECK(frame_parse(&frame, "slip", SIZE_MAX / 8, &fault));
	memset(input, 'x', LENGTH);
	input[LENGTH / 2] = '\n';
	config.encode = &frame;
	struct channel_test *test =
		channel_test_begin_with(input, stages, CHANNEL_TEST_MOST, config);
	for (int turn = 0; turn < 4; turn++)
		(void)channel_test_turn(test, turn);
	/* CR, and the end of the frame. */
	CHECK(test->count == LENGTH + 2 && test->got[LENGTH / 2] == '\r');
	CHECK(test->got[0] == 'x' && test->got[LENGTH] == 'x' && test->got[LENGTH + 1] == 0xc0);
	channel_test_end(test);
}

static void
channel_test_pace(void)
{
	struct stage stages[] = { pace_stage, { .ops = NULL } };
	stages[0].amount = 50;
	struct channel_test *test = channel_test_begin("one\ntwo\n\nlast", stages, 0);
	(void)channel_test_turn(test, 100);
	CHECK(channel_test_got(test, "one\n"));
	CHECK(flow_idle_since(&test->flow) == 150);
	/* The pause is the flow's own: the sink may be written at any time. */
	CHECK(test->sink.write.at == 0 && channel_test_turn(test, 149) == 150);
	CHECK(channel_test_got(test, "one\n"));
	(void)channel_test_turn(test, 150);
	CHECK(channel_test_got(test, "one\ntwo\n"));
	(void)channel_test_turn(test, 200);
	CHECK(channel_test_got(test, "one\ntwo\n\n"));
	(void)channel_test_turn(test, 250);
	CHECK(channel_test_got(test, "one\ntwo\n\nlast") && test->told_end);
	channel_test_end(test);
	/* A flow that is stopped does not wait for its gates. */
	test = channel_test_begin("one\ntwo\n", stages, 0);
	(void)channel_test_turn(test, 100);
	CHECK(flow_stop(&test->flow, FLOW_STOP_NOW));
	(void)channel_test_turn(test, 101);
	CHECK(channel_test_got(test, "one\ntwo\n") && test->told_end);
	CHECK(flow_idle_since(&test->flow) == 101);
	channel_test_end(test);
}

/* Passes what the stages let pass at `now`; the bytes. */
static size_t
channel_test_rate_pass(struct stage_list *list, int64_t now)
{
	size_t passed = 0;
	while (stage_until(list) <= now) {
		size_t n = stage_limit(list, NULL, 0);
		stage_passed(list, NULL, 0, n, now);
		passed += n;
	}
	return passed;
}

static void
channel_test_rate(void)
{
	struct stage stage = rate_stage;
	struct stage_list list = { &stage, 1 };
	stage.amount = 1000;
	CHECK(!stage_inspects(&list) && stage_is_gated(&list));
	/* Nothing in advance at the start, and 20 bytes every 20 milliseconds. */
	int64_t now = 3600 * CLOCK_SECOND;
	CHECK(channel_test_rate_pass(&list, now) == 20);
	CHECK(stage_until(&list) == now + 20 * CLOCK_MILLISECOND);
	size_t passed = 20;
	for (int turn = 1; turn <= 250; turn++)
		passed += channel_test_rate_pass(&list, now + turn * 20 * CLOCK_MILLISECOND);
	CHECK(passed == 20 + 5000);
	/* What was late is made up, but not what was not there to be sent. */
	now += 5 * CLOCK_SECOND;
	CHECK(channel_test_rate_pass(&list, now + 60 * CLOCK_MILLISECOND) == 60);
	CHECK(channel_test_rate_pass(&list, now + 60 * CLOCK_SECOND) == 60);
	/* A larger piece, such as a message, is paid for afterwards. */
	now += 120 * CLOCK_SECOND;
	(void)channel_test_rate_pass(&list, now);
	stage_passed(&list, NULL, 0, 3000, now);
	CHECK(stage_until(&list) >= now + 3 * CLOCK_SECOND);
	/* A burst, at the start and after a rest. */
	stage = rate_stage;
	stage.amount = 1000;
	stage.burst = 500;
	CHECK(channel_test_rate_pass(&list, now) == 520);
	CHECK(channel_test_rate_pass(&list, now + 100 * CLOCK_MILLISECOND) == 100);
	CHECK(channel_test_rate_pass(&list, now + 60 * CLOCK_SECOND) == 520);
	/* Less than a byte at a time, and the largest numbers. */
	stage = rate_stage;
	stage.amount = 1;
	CHECK(channel_test_rate_pass(&list, now) == 1 && stage_until(&list) == now + CLOCK_SECOND);
	stage = rate_stage;
	stage.amount = INT64_MAX;
	stage.burst = SIZE_MAX / 2;
	stage_passed(&list, NULL, 0, SIZE_MAX / 2, now);
	CHECK(stage_until(&list) >= 0);
	stage = rate_stage;
	stage.amount = 1;
	stage.burst = SIZE_MAX / 2;
	stage_passed(&list, NULL, 0, 3000, now);
	CHECK(stage_until(&list) <= now);
	stage_passed(&list, NULL, 0, SIZE_MAX / 2, now);
	CHECK(stage_until(&list) > now);
}

/* More frames than one batch has room for: none is overwritten before it is written. */
static void
channel_test_batches(void)
{
	enum { COUNT = 400, LENGTH = 1000, FRAME = LENGTH + 6 };
	static char input[COUNT * LENGTH + 1];
	struct flow_config config = { .buffer = CHANNEL_TEST_MOST };
	struct frame decode, encode;
	struct fault fault = FAULT_NONE;
	CHECK(frame_parse(&decode, "fixed:1000", LENGTH, &fault));
	CHECK(frame_parse(&encode, "netstring", LENGTH, &fault));
	for (size_t i = 0; i < COUNT * LENGTH; i++)
		input[i] = (char)('0' + i / LENGTH % 70);
	config.decode = &decode;
	config.encode = &encode;
	struct channel_test *test = channel_test_begin_with(input, NULL, 0, config);
	for (int turn = 0; turn < 4; turn++)
		(void)channel_test_turn(test, turn);
	CHECK(test->count == COUNT * FRAME && test->writes == 2 && test->told_end);
	for (size_t i = 0; i < test->count; i++)
		if (i % FRAME >= 5 && i % FRAME < FRAME - 1)
			CHECK(test->got[i] == '0' + i / FRAME % 70);
	channel_test_end(test);
}

/* A message that the sink's format, or the sink, cannot carry is counted. */
static void
channel_test_oversize(void)
{
	static const struct {
		const char *encode; /* NULL: none */
		size_t sink_max;
		enum channel_oversize oversize;
		size_t count;
		uint64_t skipped, truncated;
		enum status status;
	} rows[] = {
		{ "u8", 0, CHANNEL_OVERSIZE_TRUNCATE, 256 + 11, 0, 1, STATUS_OK },
		{ "u8", 0, CHANNEL_OVERSIZE_SKIP, 11, 1, 0, STATUS_OK },
		{ "u8", 0, CHANNEL_OVERSIZE_FAIL, 0, 0, 0, STATUS_FRAMING },
		{ "datagram", 100, CHANNEL_OVERSIZE_TRUNCATE, 110, 0, 1, STATUS_OK },
		{ "datagram", 100, CHANNEL_OVERSIZE_SKIP, 10, 1, 0, STATUS_OK },
		{ "line", 100, CHANNEL_OVERSIZE_TRUNCATE, 111, 0, 1, STATUS_OK },
		{ "u32be", 3, CHANNEL_OVERSIZE_TRUNCATE, 0, 2, 0, STATUS_OK },
		{ NULL, 100, CHANNEL_OVERSIZE_SKIP, 0, 0, 0, STATUS_SEND },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static char input[311];
		struct flow_config config = { .buffer = 1024, .oversize = rows[i].oversize };
		struct frame encode;
		struct fault fault = FAULT_NONE;
		if (rows[i].encode != NULL) {
			CHECK(frame_parse(&encode, rows[i].encode, 1024, &fault));
			config.encode = &encode;
		}
		memset(input, 'x', 310);
		struct channel_test *test =
			channel_test_begin_with(input, NULL, rows[i].sink_max, config);
		test->piece = 300;
		for (int turn = 0; turn < 5; turn++)
			(void)channel_test_turn(test, turn);
		const struct channel *channel = &test->flow.channel;
		CHECK(test->count == rows[i].count && test->flow.fault.status == rows[i].status);
		CHECK(channel->skipped == rows[i].skipped);
		CHECK(channel->truncated == rows[i].truncated);
		fault_clear(&test->flow.fault);
		channel_test_end(test);
	}
}

/* What a batch leaves behind: the limit of messages, a broken frame, and the end of the source. */
static void
channel_test_rest(void)
{
	static const struct {
		const char *format, *input, *got;
		uint64_t most;
		bool stays, ready;
	} rows[] = {
		{ "fixed:4", "aaaabbbbccccdd", "aaaabbbb", 2, true, false },
		{ "fixed:4", "aaaabb", "aaaa", 0, true, false },
		{ "netstring", "1:a,x", "a", 0, true, true },
		{ "line", "a\nb", "ab", 0, false, true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct flow_config config = { .buffer = 64, .most = rows[i].most };
		struct frame decode;
		struct fault fault = FAULT_NONE;
		CHECK(frame_parse(&decode, rows[i].format, 64, &fault));
		config.decode = &decode;
		struct channel_test *test = channel_test_begin_with(rows[i].input, NULL, 0, config);
		const struct channel *channel = &test->flow.channel;
		test->stays = rows[i].stays;
		for (int turn = 0; test->count < strlen(rows[i].got) && turn < 4; turn++)
			(void)channel_test_turn(test, turn);
		CHECK(channel_test_got(test, rows[i].got) && channel->ready == rows[i].ready);
		CHECK(channel->ops->has_room(channel) == (rows[i].most == 0));
		CHECK(rows[i].ready || channel->part == (rows[i].most == 0 ? 2 : 0));
		(void)channel_test_turn(test, 5);
		CHECK(test->ends == (rows[i].stays ? 0 : 1));
		fault_clear(&test->flow.fault);
		flow_close(&test->flow);
		pollset_close(&test->pollset);
	}
}

/* Messages that lie side by side pass one by one through a gate. */
static void
channel_test_adjacent(void)
{
	struct stage stages[] = { pace_stage, { .ops = NULL } };
	struct flow_config config = { .buffer = 64 };
	struct frame decode;
	struct fault fault = FAULT_NONE;
	CHECK(frame_parse(&decode, "fixed:4", 4, &fault));
	config.decode = &decode;
	stages[0].amount = 50;
	struct channel_test *test = channel_test_begin_with("aaaabbbb", stages, 0, config);
	(void)channel_test_turn(test, 1);
	CHECK(channel_test_got(test, "aaaa"));
	(void)channel_test_turn(test, 51);
	CHECK(channel_test_got(test, "aaaabbbb"));
	channel_test_end(test);
}

/* Of messages each is a line, whatever is in it. */
static void
channel_test_pace_messages(void)
{
	const struct iovec four[] = { { (char[]){ "a\nb" }, 3 }, { NULL, 0 }, { NULL, 0 },
		{ (char[]){ "cd" }, 2 } };
	struct stage stages[] = { pace_stage, { .ops = NULL } };
	stages[0].amount = 50;
	struct channel_test *test = channel_test_begin("a\nb", stages, 100);
	struct stage_list *list = &test->flow.channel.stages;
	CHECK(stage_limit(list, four, 4) == 3);
	stage_passed(list, four, 1, 2, 100);
	CHECK(stage_until(list) == 0);
	stage_passed(list, four, 1, 3, 100);
	CHECK(stage_until(list) == 150);
	CHECK(stage_limit(list, four + 1, 3) == 0);
	stage_passed(list, four + 1, 1, 0, 200);
	CHECK(stage_until(list) == 250);
	(void)channel_test_turn(test, 250);
	CHECK(test->writes == 1 && stage_until(list) == 300);
	channel_test_end(test);
}

/* After an HTTP/1 request the end is not told. Its line passes through the process. */
static void
channel_test_request_line(void)
{
	static const char request[] = "GET /0123456789 HTTP/1.1\r\nHost: 0123456789\r\n\r\n";
	const struct stage stages[] = { request_line_stage, { .ops = NULL } };
	struct channel_test *test = channel_test_begin(request, stages, 0);
	test->piece = 20;
	(void)channel_test_turn(test, 1);
	CHECK(!flow_keeps_end(&test->flow) && stage_inspects(&test->flow.channel.stages));
	(void)channel_test_turn(test, 2);
	CHECK(flow_keeps_end(&test->flow) && test->spliced == 0 && test->count == 40);
	for (int turn = 3; turn < 8; turn++)
		(void)channel_test_turn(test, turn);
	CHECK(channel_test_got(test, request) && test->spliced > 0 && !test->told_end);
	channel_test_end(test);
}

/* --- rows of this test --- */

static void
channel_test_count_passed(
	struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)pieces, (void)count, (void)now;
	stage->amount += (int64_t)n;
}

static size_t
channel_test_slow_limit(const struct stage *stage, const struct iovec *pieces, int count)
{
	(void)stage, (void)pieces, (void)count;
	return CHANNEL_TEST_RATE;
}

static void
channel_test_slow_passed(
	struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)pieces, (void)count;
	stage->until = now + (int64_t)n * CLOCK_MILLISECOND / CHANNEL_TEST_RATE;
}

static const struct stage_ops channel_test_count = { .passed = channel_test_count_passed };
static const struct stage_ops channel_test_slow = { .limit = channel_test_slow_limit,
	.passed = channel_test_slow_passed };

/* Plays it until n bytes have passed; the time. */
static int64_t
channel_test_play(struct channel_test *test, size_t n)
{
	int64_t now = 0;
	for (int turn = 0; test->count < n && turn < 1000; turn++) {
		int64_t deadline = channel_test_turn(test, now);
		if (test->count < n && deadline != CLOCK_NEVER && deadline > now)
			now = deadline;
	}
	return now;
}

static void
channel_test_kernel(void)
{
	const struct stage stages[] = { { .ops = &channel_test_count },
		{ .ops = &channel_test_slow }, { .ops = NULL } };
	char input[501];
	memset(input, 'x', 500);
	input[500] = '\0';
	struct channel_test *test = channel_test_begin(input, stages, 0);
	test->stays = true;
	CHECK(channel_test_play(test, 500) == 494 * CLOCK_MILLISECOND / 10);
	/* The first 64 bytes are the ring's: the kernel takes over when much is read at a time. */
	CHECK(strcmp(test->flow.channel.ops->name, "spliced in the kernel") == 0 &&
		test->spliced == 1 + 44);
	CHECK(channel_test_got(test, input) && test->longest == CHANNEL_TEST_RATE);
	CHECK(test->flow.channel.stages.list[0].amount == 500);
	/* Gates are removed from a flow that is stopped, and the others stay. */
	CHECK(flow_stop(&test->flow, FLOW_STOP_NOW) && test->flow.channel.stages.count == 1);
	(void)channel_test_turn(test, CLOCK_SECOND);
	CHECK(test->told_end && test->flow.channel.stages.list[0].amount == 500);
	channel_test_end(test);
}

/* A message is not cut by a gate; it waits until all of it could have passed. */
static void
channel_test_messages(void)
{
	const struct stage stages[] = { { .ops = &channel_test_count },
		{ .ops = &channel_test_slow }, { .ops = NULL } };
	struct channel_test *test =
		channel_test_begin("0123456789012345678901234567890123", stages, 100);
	test->piece = 17;
	CHECK(channel_test_play(test, 34) == 17 * CLOCK_MILLISECOND / 10);
	CHECK(test->writes == 2 && test->longest == 17 && test->count == 34);
	CHECK(test->flow.channel.stages.list[0].amount == 34);
	channel_test_end(test);
	/* Several pass at once if that is not too much. */
	test = channel_test_begin("0123456789abcdef", stages, 100);
	test->each = 4;
	CHECK(channel_test_play(test, 16) == 8 * CLOCK_MILLISECOND / 10);
	CHECK(test->writes == 2 && test->longest == 8 && test->count == 16);
	channel_test_end(test);
}

/* --- splice --- */

/* A flow that splices, at a source without data. */
static struct channel_test *
channel_test_begin_splice(void)
{
	static const char input[] = "0123456789012345678901234567890123456789";
	struct channel_test *test = channel_test_begin(input, NULL, 0);
	test->piece = 20;
	test->stays = true;
	for (int turn = 0; turn < 4; turn++)
		(void)channel_test_turn(test, turn);
	CHECK(strcmp(test->flow.channel.ops->name, "spliced in the kernel") == 0);
	CHECK(channel_test_got(test, input) && test->spliced == 2 && test->reads == 1);
	CHECK(test->flow.reads == 2);
	test->input = input;
	return test;
}

static void
channel_test_splice_again(struct channel_test *test)
{
	CHECK(strcmp(test->flow.channel.ops->name, "copied through memory") == 0);
	CHECK(test->flow.channel.pipe[0] == -1 && test->flow.channel.pipe[1] == -1);
	channel_test_end(test);
}

/* The source's own read says what has arrived, and sees what poll(2) does not show. */
static void
channel_test_splice_own(void)
{
	struct channel_test *test = channel_test_begin_splice();
	test->left = 10;
	CHECK(flow_stop(&test->flow, FLOW_STOP_DRAINED));
	(void)channel_test_turn(test, 5);
	CHECK(test->reads == 2 && test->spliced == 2 && test->count == 50);
	channel_test_splice_again(test);
	test = channel_test_begin_splice();
	test->left = 10;
	test->source.ready = true;
	(void)channel_test_turn(test, 5);
	CHECK(test->reads == 2 && test->spliced == 2 && test->count == 50);
	channel_test_splice_again(test);
}

/* An urgent byte is read when the kernel has had its chance: once is no sign of it. */
static void
channel_test_splice_urgent(void)
{
	struct channel_test *test = channel_test_begin_splice();
	test->left = test->readable = 10;
	test->urgent = true;
	(void)channel_test_turn(test, 5);
	test->readable = 0;
	(void)channel_test_turn(test, 6);
	test->readable = 10;
	(void)channel_test_turn(test, 7);
	(void)channel_test_turn(test, 8);
	CHECK(test->reads == 1 && test->count == 40);
	(void)channel_test_turn(test, 9);
	CHECK(test->reads == 2 && test->count == 50);
	channel_test_splice_again(test);
}

/* A full pipe is not filled again before something was taken out of it. */
static void
channel_test_splice_full(void)
{
	struct channel_test *test = channel_test_begin_splice();
	test->blocks = true;
	test->left = test->readable = 10;
	(void)channel_test_turn(test, 5);
	CHECK(test->flow.channel.piped == 10 && test->left == 0);
	test->left = 10;
	test->urgent = true;
	(void)channel_test_turn(test, 6);
	test->urgent = false;
	(void)channel_test_turn(test, 7);
	CHECK(test->pollset.count == 1 && test->pollset.polls[0].fd == 2000);
	CHECK(test->left == 10 && test->reads == 1 && test->sink.write.error == 0);
	test->blocks = false;
	(void)channel_test_turn(test, 8);
	(void)channel_test_turn(test, 9);
	CHECK(test->count == 60);
	test->stays = false;
	(void)channel_test_turn(test, 10);
	CHECK(test->told_end);
	channel_test_splice_again(test);
}

/* The kernel moves what is only counted. Too much ends the flow, too little is seen at its end. */
static void
channel_test_expect(void)
{
	static const uint64_t expected[] = { 0, 19, 20, 21, INT64_MAX };
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		struct stage stages[] = { expect_stage, { .ops = NULL } };
		struct fault fault = FAULT_NONE;
		stages[0].expect.bytes = expected[i];
		struct channel_test *test = channel_test_begin("01234567890123456789", stages, 0);
		test->piece = 10;
		for (int turn = 0; turn < 8; turn++)
			(void)channel_test_turn(test, turn);
		bool more = expected[i] < 20;
		CHECK(more || (test->spliced > 0 && test->count == 20));
		CHECK(test->flow.fault.status == (more ? STATUS_CUT : STATUS_OK));
		CHECK(!more || (test->flow.state == FLOW_DONE && !test->told_end));
		CHECK(flow_check(&test->flow, true, &fault) == (expected[i] == 20));
		fault_clear(&fault);
		fault_clear(&test->flow.fault);
		channel_test_end(test);
	}
}

int
main(void)
{
	channel_test_crlf();
	channel_test_crlf_encoded();
	channel_test_batches();
	channel_test_oversize();
	channel_test_rest();
	channel_test_adjacent();
	channel_test_pace();
	channel_test_pace_messages();
	channel_test_rate();
	channel_test_request_line();
	channel_test_expect();
	channel_test_kernel();
	channel_test_messages();
	channel_test_splice_own();
	channel_test_splice_urgent();
	channel_test_splice_full();
	return check_verdict("channel");
}
