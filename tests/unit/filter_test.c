/* A chain of filters: opening from the bottom up, what the top shows of the bottom, and bytes that
 * were read too far. */
#include <poll.h>
#include <string.h>

#include "check.h"
#include "filter/filter.h"

/* The steps that the bottom, and each filter, needs to open. */
#define FILTER_TEST_STEPS 3

struct filter_test {
	struct filter_prefix prefix;
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
	struct filter_test *test = stream->impl;
	CHECK(stream->read.at == 0 && stream->read.by == 0);
	if (stream->lower != NULL)
		return filter_read(stream, &test->prefix, pieces, count, got, fault);
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
	filter_close_prefix(&test->prefix);
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
	struct iovec pieces[] = { { bytes, 2 }, { bytes + 2, 1 } };
	size_t got = 0;
	CHECK(!stream_is_ready(top));
	CHECK(filter_unread(middle, &filter_test_all[1].prefix, "cd", 2, &fault));
	CHECK(filter_unread(middle, &filter_test_all[1].prefix, "", 0, &fault));
	CHECK(filter_unread(middle, &filter_test_all[1].prefix, "ab", 2, &fault));
	CHECK(stream_is_ready(top) && !top->ready);
	CHECK(stream_read(top, pieces, 2, &got, &fault) == IO_OK && got == 3);
	CHECK(memcmp(bytes, "abc", 3) == 0 && stream_is_ready(top));
	/* Before what is left of a prefix that has been read in part. */
	CHECK(filter_unread(middle, &filter_test_all[1].prefix, "z", 1, &fault));
	CHECK(stream_read(top, pieces, 2, &got, &fault) == IO_OK && got == 2);
	CHECK(memcmp(bytes, "zd", 2) == 0 && !stream_is_ready(top) && top->hangup.fd == -1);
	pieces[0].iov_len = sizeof bytes;
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
