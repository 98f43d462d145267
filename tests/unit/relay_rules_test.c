/*
 * The rules of flow and relay that random scripts hardly reach, one scenario each: two streams that
 * do what their fields say, and a clock that the test sets.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "flow/stage.h"
#include "flow/relay.h"

#define MS CLOCK_MILLISECOND

/* A stream whose reads give `left` bytes of text, and then `then`; its writes take `takes` bytes.
 */
struct rules_end {
	struct stream stream;
	const char *text; /* NULL: zeros */
	size_t left;
	enum io then;
	enum status fails; /* with IO_FAIL */
	size_t takes;      /* then: */
	enum io full;
	enum io look; /* of a write of nothing */
	enum io shut;
	size_t taken, looks, watches;
	bool told_end;
};

struct rules_test {
	struct rules_end local, remote;
	struct relay_rules rules;
	struct relay relay;
	struct pollset pollset;
};

static enum io
rules_fail(enum io result, enum status status, int error, struct fault *fault)
{
	if (result == IO_FAIL)
		(void)fault_set(fault, status, error, "test");
	return result;
}

static enum io
rules_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct rules_end *end = stream->impl;
	size_t n = pieces[0].iov_len < end->left ? pieces[0].iov_len : end->left;
	(void)count;
	if (end->left == 0)
		return rules_fail(end->then, end->fails, ECONNRESET, fault);
	memset(pieces[0].iov_base, 0, n);
	if (end->text != NULL)
		memcpy(pieces[0].iov_base, end->text, n);
	end->text = end->text != NULL ? end->text + n : NULL;
	end->left -= end->left == SIZE_MAX ? 0 : n;
	*got = n;
	return IO_OK;
}

static enum io
rules_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct rules_end *end = stream->impl;
	size_t n = stream_total(pieces, count);
	end->looks += count == 0;
	if (count == 0)
		return rules_fail(end->look, STATUS_SEND, EPIPE, fault);
	if (end->takes == 0)
		return rules_fail(end->full, end->fails, EPIPE, fault);
	*put = n < end->takes ? n : end->takes;
	end->takes -= *put;
	end->taken += *put;
	return IO_OK;
}

static enum io
rules_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct rules_end *end = stream->impl;
	end->told_end = half_close;
	return rules_fail(end->shut, end->fails, EPIPE, fault);
}

static void
rules_watch(struct stream *stream)
{
	struct rules_end *end = stream->impl;
	end->watches++;
}

static const struct stream_ops rules_ops = {
	.read = rules_read, .write = rules_write, .shut = rules_shut, .watch = rules_watch
};

/* Ends that give nothing and do not end; what a scenario needs is set afterwards. */
static struct rules_test
rules_begin(void)
{
	return (struct rules_test){
		.local = { .then = IO_AGAIN,
			.takes = SIZE_MAX,
			.full = IO_AGAIN,
			.fails = STATUS_INPUT },
		.remote = { .then = IO_AGAIN,
			.takes = SIZE_MAX,
			.full = IO_AGAIN,
			.fails = STATUS_RECEIVE },
		.rules = { .out = { .buffer = 64, .half_close = true },
			.in = { .buffer = 64, .half_close = true },
			.send = true,
			.receive = true,
			.quit_after = CLOCK_NEVER,
			.linger = CLOCK_NEVER,
			.idle = CLOCK_NEVER },
	};
}

static void
rules_open(struct rules_test *test)
{
	struct fault fault = FAULT_NONE;
	CHECK(relay_open(
		&test->relay, &test->local.stream, &test->remote.stream, &test->rules, 0, &fault));
}

static void
rules_prepare(struct rules_test *test)
{
	static char local_name[] = "local", remote_name[] = "remote";
	stream_init(&test->local.stream, &rules_ops, local_name, &test->local);
	stream_init(&test->remote.stream, &rules_ops, remote_name, &test->remote);
	test->local.stream.read.fd = test->local.stream.write.fd = 1000;
	test->remote.stream.read.fd = test->remote.stream.write.fd = 2000;
}

/* One step in which all descriptors fire, except that a watched one does so only if `watched`. */
static bool
rules_step(struct rules_test *test, int64_t now, bool watched)
{
	pollset_begin(&test->pollset);
	relay_ask(&test->relay, &test->pollset, now);
	for (size_t i = 0; i < test->pollset.count; i++) {
		struct pollfd *entry = &test->pollset.polls[i];
		entry->revents = entry->events != 0 ? entry->events : watched ? POLLHUP : 0;
	}
	return relay_step(&test->relay, &test->pollset, now);
}

/* Steps from `now`, 10 ms apart, until it is over; the time, or -1 after 20 s. */
static int64_t
rules_run(struct rules_test *test, int64_t now)
{
	for (int64_t end = now + 20 * CLOCK_SECOND; now < end; now += 10 * MS)
		if (rules_step(test, now, false))
			return now;
	return -1;
}

static void
rules_end(struct rules_test *test)
{
	relay_close(&test->relay);
	pollset_close(&test->pollset);
}

/* --- flow --- */

/* An operation with a time is not tried before it. */
static void
rules_test_times(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.local.left = 100;
	test.local.stream.read.at = test.remote.stream.write.at = 50 * MS;
	rules_open(&test);
	(void)rules_step(&test, 49 * MS, false);
	CHECK(test.local.left == 100);
	(void)rules_step(&test, 50 * MS, false);
	CHECK(test.local.left == 36 && test.remote.taken == 64);
	test.remote.stream.write.at = 70 * MS;
	(void)rules_step(&test, 69 * MS, false);
	CHECK(test.local.left == 0 && test.remote.taken == 64);
	(void)rules_step(&test, 70 * MS, false);
	CHECK(test.remote.taken == 100);
	rules_end(&test);
}

/* What the sink has taken, and not written yet, is written before its end. */
static void
rules_test_buffered(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.local.then = IO_END;
	test.remote.stream.buffered = true;
	test.remote.look = IO_AGAIN;
	rules_open(&test);
	(void)rules_step(&test, 0, false);
	(void)rules_step(&test, 1, false);
	CHECK(test.relay.out.eof && test.relay.out.state == FLOW_ENDING);
	CHECK(test.remote.looks > 0 && !test.remote.told_end);
	test.remote.stream.buffered = false;
	(void)rules_step(&test, 2, false);
	CHECK(test.relay.out.state == FLOW_DONE && test.remote.told_end);
	rules_end(&test);
}

/* A message of which a part has come is a failure, whichever way the flow ends. */
static void
rules_test_part(void)
{
	static const enum flow_stop stops[] = { FLOW_STOP_NOW, FLOW_STOP_DRAINED };
	struct frame frame;
	struct fault fault = FAULT_NONE;
	CHECK(frame_parse(&frame, "fixed:4", 4, &fault));
	for (size_t i = 0; i < 3; i++) {
		struct rules_test test = rules_begin();
		rules_prepare(&test);
		test.rules.out.decode = &frame;
		test.rules.receive = false;
		test.local.left = 6;
		test.remote.stream.hangup.fd = 2000;
		test.remote.look = IO_END;
		rules_open(&test);
		(void)rules_step(&test, 0, false);
		CHECK(test.remote.taken == 4 && test.relay.out.channel.part == 2);
		if (i < 2)
			CHECK(flow_stop(&test.relay.out, stops[i]) &&
				test.local.stream.read.draining);
		(void)rules_step(&test, 1, i == 2);
		CHECK(rules_step(&test, 2, false) && !test.remote.told_end);
		CHECK(test.relay.cause.status == STATUS_CUT && !test.relay.clean);
		rules_end(&test);
	}
}

/* --- relay --- */

/* The peer's end stops OUT also where the peer is its source: pauses are over. */
static void
rules_test_only_out(void)
{
	struct stage stages[] = { pace_stage, { .ops = NULL } };
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	stages[0].amount = CLOCK_SECOND;
	test.rules.out.stages = stages;
	test.rules.receive = false;
	test.rules.at_peer_end = FLOW_STOP_NOW;
	test.local = (struct rules_end){
		.stream = test.local.stream, .text = "one\ntwo\nthree\n", .left = 14, .then = IO_END
	};
	rules_open(&test);
	CHECK(rules_run(&test, 0) <= 50 * MS && test.remote.taken == 14 && test.relay.clean);
	rules_end(&test);
}

/* The end of OUT stops IN, but not before. */
static void
rules_test_input_end(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.rules.at_input_end = FLOW_STOP_DRAINED;
	rules_open(&test);
	CHECK(rules_run(&test, 0) == -1 && test.relay.in.state == FLOW_OPEN);
	test.local.then = IO_END;
	CHECK(rules_run(&test, 30 * CLOCK_SECOND) != -1 && test.relay.clean);
	rules_end(&test);
}

/* Messages that keep coming are read for a limited time after IN has been stopped. */
static void
rules_test_drain_ends(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.local.then = IO_END;
	test.remote.left = SIZE_MAX;
	test.remote.stream.caps.messages = true;
	test.rules.at_input_end = FLOW_STOP_DRAINED;
	rules_open(&test);
	CHECK(rules_run(&test, 0) == RELAY_GRACE && test.relay.clean);
	rules_end(&test);
}

/* When the linger is over without an acknowledgement, nothing is waited for any more. */
static void
rules_test_linger(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.local.then = test.remote.then = IO_END;
	test.local.left = 10;
	test.remote.shut = IO_AGAIN;
	test.rules.linger = 100 * MS;
	rules_open(&test);
	int64_t took = rules_run(&test, 0);
	CHECK(took >= 100 * MS && took < 200 * MS);
	CHECK(test.relay.cause.status == STATUS_SEND && test.relay.unconfirmed && test.relay.clean);
	rules_end(&test);
}

/* While silence is awaited there is no idle limit; it begins with the end of that. */
static void
rules_test_silence(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.local.then = IO_END;
	test.local.takes = 0;
	test.remote.left = 10;
	test.remote.stream.caps.endless = true;
	test.rules.quit_after = test.rules.idle = 100 * MS;
	rules_open(&test);
	CHECK(rules_run(&test, 0) == 200 * MS && test.relay.cause.status == STATUS_TIMEOUT);
	rules_end(&test);
}

/* Without undelivered data the idle limit may be the end of a session. */
static void
rules_test_ends_idle(void)
{
	for (int i = 0; i < 4; i++) {
		struct rules_test test = rules_begin();
		rules_prepare(&test);
		test.local.left = test.remote.left = 10;
		test.rules.idle = 100 * MS;
		test.rules.ends_idle = true;
		/* Not sent, not acknowledged, not written. */
		test.remote.takes = i == 1 ? 9 : SIZE_MAX;
		test.remote.stream.stats.unarrived = i == 2;
		test.local.takes = i == 3 ? 9 : SIZE_MAX;
		rules_open(&test);
		int64_t took = rules_run(&test, 0);
		CHECK(took >= 100 * MS && took < 200 * MS);
		CHECK(test.relay.cause.status == (i > 0 ? STATUS_TIMEOUT : STATUS_OK));
		CHECK(test.relay.clean == (i == 0));
		rules_end(&test);
	}
}

/* A peer whose data are discarded may send them for the grace only. */
static void
rules_test_unwanted(void)
{
	struct rules_test test = rules_begin();
	rules_prepare(&test);
	test.local.then = IO_END;
	test.local.stream.stats.discarding = true;
	test.rules.quit_after = 10 * CLOCK_SECOND;
	rules_open(&test);
	CHECK(rules_run(&test, 0) == RELAY_GRACE && test.relay.clean);
	rules_end(&test);
}

/* The end of a connection is a failure to send if anything was not sent, or not acknowledged,
 * whichever operation meets it, and otherwise one to receive. */
static void
rules_test_broken(void)
{
	for (size_t unarrived = 0; unarrived < 2; unarrived++) {
		struct rules_test test = rules_begin();
		rules_prepare(&test);
		test.remote.then = IO_FAIL;
		test.remote.stream.stats.broken = ECONNRESET;
		test.remote.stream.stats.unarrived = unarrived;
		rules_open(&test);
		CHECK(rules_run(&test, 0) >= 0 && !test.relay.clean);
		CHECK(test.relay.cause.status == (unarrived > 0 ? STATUS_SEND : STATUS_RECEIVE));
		rules_end(&test);
		/* The same met by shut. */
		test = rules_begin();
		rules_prepare(&test);
		test.local.then = IO_END;
		test.remote.fails = STATUS_SEND;
		test.remote.shut = IO_FAIL;
		test.remote.stream.stats.broken = EPIPE;
		test.remote.stream.stats.unarrived = unarrived;
		rules_open(&test);
		CHECK(rules_run(&test, 0) >= 0 && !test.relay.clean);
		CHECK(test.relay.cause.status == (unarrived > 0 ? STATUS_SEND : STATUS_RECEIVE));
		rules_end(&test);
	}
}

/* No loss goes unreported, wherever it is noticed. */
static void
rules_test_finish(void)
{
	for (int i = 0; i < 3; i++) {
		struct rules_test test = rules_begin();
		rules_prepare(&test);
		test.local.then = test.remote.then = IO_END;
		rules_open(&test);
		test.remote.stream.stats.unsent = i == 0;
		test.relay.in.read = i == 1;
		test.relay.out.read = test.relay.out.lost = i == 2;
		test.relay.out.written = i == 2;
		CHECK(rules_run(&test, 0) >= 0 && !test.relay.clean);
		CHECK(test.relay.cause.status == (i == 0 ? STATUS_SEND : STATUS_INTERNAL));
		rules_end(&test);
	}
}

/* The time that the next step waits for. */
static int64_t
rules_due(struct rules_test *test, int64_t now)
{
	pollset_begin(&test->pollset);
	relay_ask(&test->relay, &test->pollset, now);
	return test->pollset.deadline;
}

/* A second after the end of one direction it is watched whether both peers are still there, once.
 */
static void
rules_test_watch(void)
{
	for (int i = 0; i < 2; i++) {
		struct rules_test test = rules_begin();
		rules_prepare(&test);
		(i == 0 ? &test.local : &test.remote)->then = IO_END;
		rules_open(&test);
		CHECK(!rules_step(&test, 5, false) && test.local.watches == 0);
		CHECK(rules_due(&test, 5) == 5 + CLOCK_SECOND);
		CHECK(!rules_step(&test, 4 + CLOCK_SECOND, false) && test.remote.watches == 0);
		CHECK(!rules_step(&test, 5 + CLOCK_SECOND, false));
		CHECK(test.local.watches == 1 && test.remote.watches == 1);
		CHECK(rules_due(&test, 5 + CLOCK_SECOND) == CLOCK_NEVER);
		CHECK(!rules_step(&test, 9 * CLOCK_SECOND, false) && test.remote.watches == 1);
		rules_end(&test);
	}
}

int
main(void)
{
	rules_test_times();
	rules_test_buffered();
	rules_test_part();
	rules_test_only_out();
	rules_test_input_end();
	rules_test_drain_ends();
	rules_test_linger();
	rules_test_silence();
	rules_test_ends_idle();
	rules_test_unwanted();
	rules_test_broken();
	rules_test_finish();
	rules_test_watch();
	return check_verdict("relay_rules");
}
