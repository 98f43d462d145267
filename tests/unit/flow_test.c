/*
 * The half-close rule as a table: what one flow does with its sink when its source ends, fails or
 * is stopped. No socket, no loop.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flow/flow.h"

/* A source that gives `left` bytes and then `then`; a sink that takes `takes` bytes. */
struct flow_test_end {
	size_t left, takes, taken;
	enum io then;
	bool shut_called, told_end;
};

static enum io
flow_test_open(struct stream *stream, struct fault *fault)
{
	(void)stream;
	(void)fault;
	return IO_OK;
}

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
flow_test_shut(struct stream *stream, struct fault *fault)
{
	struct flow_test_end *end = stream->impl;
	(void)fault;
	end->shut_called = true;
	end->told_end = stream->half_close;
	return IO_OK;
}

static void
flow_test_close(struct stream *stream)
{
	(void)stream;
}

static const struct stream_ops flow_test_ops = { flow_test_open, flow_test_read, flow_test_write,
	flow_test_shut, flow_test_close };

static const struct {
	const char *name;
	size_t left, takes;
	enum io then;
	enum flow_stop stop; /* applied before the first step */
	bool half_close;
	/* … and what must have come of it: */
	enum flow_state state;
	bool shut_called, told_end;
	size_t taken;
	enum status status;
} flow_test_rows[] = {
	{ "the end is told when all is written", 10, 10, IO_END, FLOW_GOES_ON, true, FLOW_DONE,
		true, true, 10, STATUS_OK },
	{ "no end is told while something is left", 10, 4, IO_END, FLOW_GOES_ON, true, FLOW_ENDING,
		false, false, 4, STATUS_OK },
	{ "an empty source is an end too", 0, 10, IO_END, FLOW_GOES_ON, true, FLOW_DONE, true, true,
		0, STATUS_OK },
	{ "no end is told where none is wanted", 10, 10, IO_END, FLOW_GOES_ON, false, FLOW_DONE,
		true, false, 10, STATUS_OK },
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
	{ "dropped, nobody is told anything", 10, 10, IO_END, FLOW_STOP_DROP, true, FLOW_DONE,
		false, false, 0, STATUS_OK },
	{ "a failed sink is told nothing", 10, SIZE_MAX, IO_END, FLOW_GOES_ON, true, FLOW_DONE,
		false, false, 0, STATUS_SEND },
};

int
main(void)
{
	static const struct flow_config config = { .buffer = 64 };
	for (size_t i = 0; i < sizeof flow_test_rows / sizeof flow_test_rows[0]; i++) {
		struct flow_test_end from = { .left = flow_test_rows[i].left,
			.then = flow_test_rows[i].then };
		struct flow_test_end to = { .takes = flow_test_rows[i].takes };
		struct stream source, sink;
		struct interest interest = { .polls = NULL };
		struct flow flow;
		struct fault fault = FAULT_NONE;
		stream_init(&source, &flow_test_ops, NULL, &from);
		stream_init(&sink, &flow_test_ops, NULL, &to);
		source.name = sink.name = (char[]){ "test" };
		source.rfd = 1000;
		sink.wfd = 2000;
		sink.half_close = flow_test_rows[i].half_close;

		CHECK(flow_open(&flow, &source, &sink, &config, 0, &fault));
		(void)flow_stop(&flow, flow_test_rows[i].stop);
		for (unsigned turn = 0; turn < 6; turn++) {
			interest_begin(&interest);
			flow_ask(&flow, &interest, 0);
			for (size_t j = 0; j < interest.count; j++)
				interest.polls[j].revents = interest.polls[j].events;
			flow_step(&flow, &interest, 0);
		}
		bool good = flow.state == flow_test_rows[i].state &&
			to.shut_called == flow_test_rows[i].shut_called &&
			to.told_end == flow_test_rows[i].told_end &&
			to.taken == flow_test_rows[i].taken &&
			flow.fault.status == flow_test_rows[i].status;
		if (!good)
			(void)fprintf(stderr, "not so: %s\n", flow_test_rows[i].name);
		CHECK(good);
		CHECK(flow.read == flow.written + buf_used(&flow.carrier.buf) + flow.lost);
		flow_close(&flow);
		interest_close(&interest);
	}

	/* The event table: what counts as "go and see" (fault A8). */
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
		struct interest interest = { .polls = NULL };
		interest_begin(&interest);
		size_t entry = events[i].asked != 0 ? interest_ask(&interest, 5, events[i].asked)
						    : interest_watch(&interest, 5);
		interest.polls[entry].revents = events[i].came;
		CHECK(interest_fired(&interest, entry) == events[i].fired);
		CHECK(!interest_fired(&interest, INTEREST_NONE));
		/* Nothing wanted is nothing polled: a hang-up would never end. */
		CHECK(interest_ask(&interest, 5, 0) == INTEREST_NONE && interest.count == 1);
		CHECK(interest_ask(&interest, -1, POLLIN) == INTEREST_NONE);
		interest_close(&interest);
	}
	return check_verdict("flow");
}
