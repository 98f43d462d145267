/* A chain of filters: opening from the bottom up, and what the top shows of the streams below. */
#include <poll.h>
#include <string.h>

#include "check.h"
#include "filter/filter.h"

/* The steps that the bottom, and each filter, needs to open. */
#define FILTER_TEST_STEPS 3

struct filter_test {
	unsigned opens, closes;
};

static struct filter_test filter_test_all[3];

static enum io
filter_test_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct filter_test *test = stream->impl;
	(void)pollset, (void)fault;
	CHECK(stream->lower == NULL || stream->lower->opened);
	CHECK(stream->read.at == 0);
	stream->read.at = now + 1;
	return ++test->opens < FILTER_TEST_STEPS ? IO_AGAIN : IO_OK;
}

static enum io
filter_test_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	CHECK(stream->read.at == 0 && stream->read.by == 0);
	if (stream->lower != NULL) {
		enum io result = stream_read(stream->lower, pieces, count, got, fault);
		stream_follow(stream);
		return result;
	}
	memcpy(pieces[0].iov_base, "bottom", 6);
	*got = 6;
	stream->read.by = 7;
	stream->hangup.fd = 1002;
	stream->stats.ignored++;
	return IO_OK;
}

static void
filter_test_close(struct stream *stream, bool clean)
{
	struct filter_test *test = stream->impl;
	CHECK(clean && filter_test_all[0].closes == 0);
	test->closes++;
	stream->impl = NULL;
}

static const struct stream_ops filter_test_ops = {
	.open = filter_test_open,
	.read = filter_test_read,
	.close = filter_test_close,
};

/* Opens the chain, one step of one stream at a time. */
static void
filter_test_open_all(struct stream *top)
{
	struct pollset pollset = { .polls = NULL };
	struct fault fault = FAULT_NONE;
	int64_t now = 10;
	for (unsigned step = 1; step < 3 * (FILTER_TEST_STEPS - 1) + 1; step++) {
		CHECK(stream_open(top, &pollset, now, &fault) == IO_AGAIN && !top->opened);
		pollset_begin(&pollset);
		stream_ask_open(top, &pollset);
		CHECK(pollset.count == 0 && pollset.deadline == now + 1);
		now++;
	}
	CHECK(stream_open(top, &pollset, now, &fault) == IO_OK && top->opened);
	for (unsigned i = 0; i < 3; i++)
		CHECK(filter_test_all[i].opens == FILTER_TEST_STEPS);
	/* It stays open. */
	CHECK(stream_open(top, &pollset, now, &fault) == IO_OK);
	CHECK(filter_test_all[2].opens == FILTER_TEST_STEPS);
	pollset_close(&pollset);
}

static void
filter_test_read_all(struct stream *top)
{
	struct stream *middle = top->lower;
	struct fault fault = FAULT_NONE;
	char bytes[8] = "";
	struct iovec pieces[] = { { bytes, sizeof bytes } };
	size_t got = 0;
	CHECK(!stream_is_ready(top));
	middle->ready = true;
	CHECK(stream_is_ready(top) && !top->ready);
	middle->ready = false;
	CHECK(top->hangup.fd == -1);
	CHECK(stream_read(top, pieces, 1, &got, &fault) == IO_OK && got == 6);
	/* The top waits as the bottom does, but no splice(2) goes past a filter. */
	CHECK(top->read.by == 7 && top->hangup.fd == 1002 && top->read.fd == 1000);
	CHECK(middle->lower->read.splice == 1000 && top->read.splice == -1);
	CHECK(stream_stats(top)->ignored == 1 && top->caps.endless);
	stream_drain(top);
	CHECK(top->read.draining && middle->read.draining && middle->lower->read.draining);
	CHECK(stream_read(top, pieces, 1, &got, &fault) == IO_OK && top->read.draining);
}

int
main(void)
{
	struct fault fault = FAULT_NONE;
	struct stream *top = stream_new(&filter_test_ops, strdup("bottom"), 0, &fault);
	top->impl = &filter_test_all[0];
	top->read.fd = top->read.splice = 1000;
	top->caps.endless = true;
	for (unsigned i = 1; i < 3; i++) {
		CHECK(filter_add(&top, &filter_test_ops, 0, &fault) == top);
		top->impl = &filter_test_all[i];
		CHECK(strcmp(top->name, "bottom") == 0);
	}
	filter_test_open_all(top);
	filter_test_read_all(top);
	stream_close(top, true);
	for (unsigned i = 0; i < 3; i++)
		CHECK(filter_test_all[i].closes == 1);
	return check_verdict("filter");
}
