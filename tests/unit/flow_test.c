/*
 * The half-close rule as a table: what a flow does with its sink when its source ends, fails or is
 * stopped. No sockets, no loop.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "flow/flow.h"
#include "stream/lender.h"
#include "sys/sys.h"

/* A source that gives `left` bytes and then `then`; a sink that takes `takes` bytes. */
struct flow_test_end {
	size_t left, takes, taken;
	enum io then;
	bool shut_called, told_end;
};

static enum io
flow_test_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct flow_test_end *end = stream->impl;
	size_t n = stream_total(pieces, count);
	if (end->left == 0) {
		if (end->then == IO_FAIL)
			(void)fault_set(fault, STATUS_INPUT, EIO, "read");
		return end->then;
	}
	*got = n < end->left ? n : end->left;
	end->left -= *got;
	return IO_OK;
}

static enum io
flow_test_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct flow_test_end *end = stream->impl;
	size_t n = stream_total(pieces, count);
	if (end->takes == 0)
		return IO_AGAIN;
	if (end->takes == SIZE_MAX) {
		(void)fault_set(fault, STATUS_SEND, EPIPE, "write");
		return IO_FAIL;
	}
	*put = n < end->takes ? n : end->takes;
	end->takes -= *put;
	end->taken += *put;
	return IO_OK;
}

static enum io
flow_test_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct flow_test_end *end = stream->impl;
	(void)fault;
	end->shut_called = true;
	end->told_end = half_close;
	return IO_OK;
}

static void
flow_test_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops flow_test_ops = {
	.read = flow_test_read,
	.write = flow_test_write,
	.shut = flow_test_shut,
	.close = flow_test_close,
};

static const struct {
	const char *name;
	size_t left, takes;
	enum io then;
	enum flow_stop stop; /* applied before the first step */
	bool half_close;
	/* The expected result: */
	enum flow_state state;
	bool shut_called, told_end;
	size_t taken;
	enum status status;
} flow_test_rows[] = {
	{ "the end is sent when all is written", 10, 10, IO_END, FLOW_GOES_ON, true, FLOW_DONE,
		true, true, 10, STATUS_OK },
	{ "no end is sent while data is left", 10, 4, IO_END, FLOW_GOES_ON, true, FLOW_ENDING,
		false, false, 4, STATUS_OK },
	{ "an empty source is an end too", 0, 10, IO_END, FLOW_GOES_ON, true, FLOW_DONE, true, true,
		0, STATUS_OK },
	{ "no end is sent without half_close", 10, 10, IO_END, FLOW_GOES_ON, false, FLOW_DONE, true,
		false, 10, STATUS_OK },
	{ "a failed source is no end", 10, 10, IO_FAIL, FLOW_GOES_ON, true, FLOW_DONE, true, false,
		10, STATUS_INPUT },
	{ "a failed source is reported after the rest is written", 10, 4, IO_FAIL, FLOW_GOES_ON,
		true, FLOW_ENDING, false, false, 4, STATUS_INPUT },
	{ "nothing to read is no end", 10, 10, IO_AGAIN, FLOW_GOES_ON, true, FLOW_OPEN, false,
		false, 10, STATUS_OK },
	{ "… but it is when only the rest was wanted", 10, 10, IO_AGAIN, FLOW_STOP_DRAINED, true,
		FLOW_DONE, true, true, 10, STATUS_OK },
	{ "stopped at once, nothing is read", 10, 10, IO_END, FLOW_STOP_NOW, true, FLOW_DONE, true,
		true, 0, STATUS_OK },
	{ "dropped, no end is sent", 10, 10, IO_END, FLOW_STOP_DROP, true, FLOW_DONE, false, false,
		0, STATUS_OK },
	{ "a failed sink gets no end", 10, SIZE_MAX, IO_END, FLOW_GOES_ON, true, FLOW_DONE, false,
		false, 0, STATUS_SEND },
};

/* Data that other processes take from a pipe is movement, even after the flow closed it. */
static void
flow_test_looks(void)
{
	static const struct flow_config config = { .buffer = 64 };
	struct flow_test_end from = { .left = 40, .then = IO_END }, to = { .takes = 40 };
	struct stream source, sink;
	struct pollset pollset = { .polls = NULL };
	struct fault fault = FAULT_NONE;
	struct flow flow;
	uint64_t lent = 0;
	struct lender lender = { .taken = &lent };
	uint64_t shared = 0;
	int pipe_ends[2];
	char bytes[40] = "";
	stream_init(&source, &flow_test_ops, NULL, &from);
	stream_init(&sink, &flow_test_ops, NULL, &to);
	source.name = sink.name = (char[]){ "test" };
	source.read.fd = 1000;
	CHECK(pipe(pipe_ends) == 0);
	sink.write.fd = pipe_ends[1];
	CHECK(flow_open(&flow, &source, &sink, &config, 0, &fault));
	/* It is also progress for the flows that share the sink or the bus. */
	sink.caps.taken = &shared;
	flow.channel.lender = &lender;
	/* Data of other writers does not concern the flow. */
	CHECK(write(pipe_ends[1], bytes, 10) == 10);
	CHECK(flow_look_due(&flow, 5) == CLOCK_NEVER);
	flow_look(&flow, 1);
	CHECK(flow.view.untaken == 0 && flow_idle_since(&flow) == 0);
	for (unsigned turn = 0; turn < 3; turn++) {
		pollset_begin(&pollset);
		flow_ask(&flow, &pollset, 2);
		for (size_t i = 0; i < pollset.count; i++)
			pollset.polls[i].revents = pollset.polls[i].events;
		flow_step(&flow, &pollset, 2);
	}
	CHECK(flow.state == FLOW_DONE && flow.written == 40);
	CHECK(write(pipe_ends[1], bytes, 40) == 40);
	CHECK(flow_look_due(&flow, 5) == 7);
	flow_look(&flow, 7);
	CHECK(flow.view.untaken == 50 && flow_idle_since(&flow) == 7);
	flow_look(&flow, 8);
	CHECK(flow_idle_since(&flow) == 7 && flow_look_due(&flow, 5) == 13);
	CHECK(shared == 0 && lent == 0);
	CHECK(read(pipe_ends[0], bytes, 10) == 10);
	flow_look(&flow, 9);
	CHECK(flow_idle_since(&flow) == 9 && shared == 1 && lent == 1);
	/* It does not count again as progress of others. */
	CHECK(flow.view.taken == shared);
	/* Data written there is no movement. */
	CHECK(write(pipe_ends[1], bytes, 20) == 20);
	flow_look(&flow, 10);
	CHECK(flow_idle_since(&flow) == 9 && shared == 1 && lent == 1);
	sink.write.fd = pipe_ends[0];
	(void)close(pipe_ends[1]);
	flow_look(&flow, 11);
	CHECK(flow.view.untaken == 60 && flow_idle_since(&flow) == 9);
	CHECK(read(pipe_ends[0], bytes, 20) == 20);
	flow_look(&flow, 12);
	CHECK(flow.view.untaken == 40 && flow_idle_since(&flow) == 12);
	CHECK(read(pipe_ends[0], bytes, 40) == 40);
	flow_look(&flow, 13);
	CHECK(flow_idle_since(&flow) == 13 && flow_look_due(&flow, 5) == CLOCK_NEVER);
	(void)close(pipe_ends[0]);
	flow_close(&flow);
	pollset_close(&pollset);
}

/* A reader that goes away is noticed while there is nothing to write, by its hang-up only. */
static void
flow_test_hangup(void)
{
	static const struct flow_config config = { .buffer = 64 };
	struct flow_test_end from = { .then = IO_AGAIN }, to = { .takes = SIZE_MAX };
	struct stream source, sink;
	struct pollset pollset = { .polls = NULL };
	struct fault fault = FAULT_NONE;
	struct flow flow;
	stream_init(&source, &flow_test_ops, NULL, &from);
	stream_init(&sink, &flow_test_ops, NULL, &to);
	source.name = sink.name = (char[]){ "test" };
	sink.write.fd = sink.hangup.fd = 2000;
	CHECK(flow_open(&flow, &source, &sink, &config, 0, &fault));
	for (unsigned turn = 0; turn < 2; turn++) {
		pollset_begin(&pollset);
		flow_ask(&flow, &pollset, 1);
		CHECK(pollset.count == 1 && pollset.polls[0].fd == 2000);
		CHECK(pollset.polls[0].events == 0 && flow.state == FLOW_OPEN);
		pollset.polls[0].revents = turn > 0 ? POLLERR : 0;
		flow_step(&flow, &pollset, 1);
	}
	CHECK(flow.state == FLOW_DONE && flow.fault.status == STATUS_SEND);
	flow_close(&flow);
	pollset_close(&pollset);
}

/* The size of a file or a device is no data that waits for a reader. */
static void
flow_test_untaken(void)
{
	FILE *file = tmpfile();
	size_t amount = 0;
	int pair[2];
	CHECK(file != NULL && fwrite("word", 4, 1, file) == 1 && fflush(file) == 0);
	rewind(file);
	CHECK(!sys_untaken(fileno(file), &amount));
	(void)fclose(file);
	CHECK(!sys_untaken(-1, &amount));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], "word", 4) == 4);
	/* Some systems do not report it. */
	if (sys_untaken(pair[0], &amount))
		CHECK(amount > 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof flow_test_rows / sizeof flow_test_rows[0]; i++) {
		struct flow_test_end from = { .left = flow_test_rows[i].left,
			.then = flow_test_rows[i].then };
		struct flow_test_end to = { .takes = flow_test_rows[i].takes };
		struct stream source, sink;
		struct pollset pollset = { .polls = NULL };
		struct flow flow;
		struct fault fault = FAULT_NONE;
		stream_init(&source, &flow_test_ops, NULL, &from);
		stream_init(&sink, &flow_test_ops, NULL, &to);
		source.name = sink.name = (char[]){ "test" };
		source.read.fd = 1000;
		sink.write.fd = 2000;
		const struct flow_config config = { .buffer = 64,
			.half_close = flow_test_rows[i].half_close };

		CHECK(flow_open(&flow, &source, &sink, &config, 0, &fault));
		(void)flow_stop(&flow, flow_test_rows[i].stop);
		for (unsigned turn = 0; turn < 6; turn++) {
			pollset_begin(&pollset);
			flow_ask(&flow, &pollset, 0);
			for (size_t j = 0; j < pollset.count; j++)
				pollset.polls[j].revents = pollset.polls[j].events;
			flow_step(&flow, &pollset, 0);
		}
		CHECK(flow_is_idle(&flow) ==
			(flow.state == FLOW_OPEN && !flow.channel.ops->has_data(&flow.channel)));
		bool good = flow.state == flow_test_rows[i].state &&
			to.shut_called == flow_test_rows[i].shut_called &&
			to.told_end == flow_test_rows[i].told_end &&
			to.taken == flow_test_rows[i].taken &&
			flow.fault.status == flow_test_rows[i].status &&
			flow.eof ==
				(from.then == IO_END && to.takes != SIZE_MAX &&
					flow_test_rows[i].stop < FLOW_STOP_NOW);
		if (!good)
			(void)fprintf(stderr, "not so: %s\n", flow_test_rows[i].name);
		CHECK(good);
		size_t held = flow_test_rows[i].left - from.left - to.taken;
		CHECK(flow.read == flow.written + held && flow.written == to.taken);
		CHECK(flow.lost == (flow.state == FLOW_DONE ? held : 0));
		flow_close(&flow);
		pollset_close(&pollset);
	}

	/* The event table: which events make an operation be tried (fault A8). */
	static const struct {
		short asked, came;
		bool fired;
	} events[] = {
		{ POLLIN, 0, false },
		{ POLLIN, POLLIN, true },
		{ POLLIN, POLLHUP, true },
		{ POLLIN, POLLIN | POLLHUP, true },
		{ POLLIN, POLLERR, true },
		{ POLLIN, POLLNVAL, true },
		{ POLLIN, POLLOUT, false },
		{ POLLOUT, POLLERR, true },
		{ POLLOUT, POLLIN, false },
		{ 0, POLLIN | POLLOUT, false },
		{ 0, POLLERR, true },
		{ 0, POLLHUP, true },
	};
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		struct pollset pollset = { .polls = NULL };
		pollset_begin(&pollset);
		size_t entry = events[i].asked != 0 ? pollset_ask(&pollset, 5, events[i].asked)
						    : pollset_watch(&pollset, 5);
		pollset.polls[entry].revents = events[i].came;
		CHECK(pollset_fired(&pollset, entry) == events[i].fired);
		CHECK(!pollset_fired(&pollset, POLLSET_NONE));
		/* Without events nothing is polled: a hang-up would fire for ever. */
		CHECK(pollset_ask(&pollset, 5, 0) == POLLSET_NONE && pollset.count == 1);
		CHECK(pollset_ask(&pollset, -1, POLLIN) == POLLSET_NONE);
		pollset_close(&pollset);
	}
	flow_test_looks();
	flow_test_hangup();
	flow_test_untaken();
	return check_verdict("flow");
}
