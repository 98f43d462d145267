/* Flows with lent data: whatever the sinks take at a time, each gets all that was published, in
 * order, as bytes or as messages, then the end; one that is too slow gets a prefix and a
 * failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "flow/flow.h"
#include "broadcast/subscriber.h"
#include "broadcast/bus.h"

#define LENT_TEST_CLIENTS 5
#define LENT_TEST_ROUNDS 300
#define LENT_TEST_MOST 200000
#define LENT_TEST_LONGEST 60

struct lent_test_client {
	struct stream *local, *remote;
	struct bus_queue queue;
	struct flow flow;
	struct pollset pollset;
	unsigned char got[LENT_TEST_MOST];
	size_t count, messages;
	unsigned patience; /* of 16: how often it takes nothing */
	bool shut;
};

static struct lent_test_client lent_test_all[LENT_TEST_CLIENTS];
static unsigned char lent_test_said[LENT_TEST_MOST];
static size_t lent_test_count, lent_test_messages;
static unsigned lent_test_state;

static unsigned
lent_test_random(unsigned most)
{
	lent_test_state = lent_test_state * 1664525u + 1013904223u;
	return (lent_test_state >> 8) % most;
}

static enum io
lent_test_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct lent_test_client *client = stream->impl;
	size_t most = stream->caps.message_max > 0 ? SIZE_MAX : 1 + lent_test_random(300);
	(void)fault;
	*put = 0;
	if (lent_test_random(16) < client->patience)
		return IO_AGAIN;
	if (stream->caps.batch > 1)
		count = 1 + (int)lent_test_random((unsigned)count);
	for (int i = 0; i < count && *put < most; i++) {
		size_t n = pieces[i].iov_len < most - *put ? pieces[i].iov_len : most - *put;
		if (n > 0)
			memcpy(client->got + client->count, pieces[i].iov_base, n);
		client->count += n;
		*put += n;
		client->messages++;
	}
	if (stream->caps.message_max > 0)
		*put = (size_t)count;
	return IO_OK;
}

static enum io
lent_test_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct lent_test_client *client = stream->impl;
	(void)fault;
	client->shut = half_close;
	return IO_OK;
}

static void
lent_test_close(struct stream *stream, bool clean)
{
	(void)clean;
	stream->impl = NULL;
}

static const struct stream_ops lent_test_ops = {
	.write = lent_test_write,
	.shut = lent_test_shut,
	.close = lent_test_close,
};

static void
lent_test_join(struct bus *bus, struct lent_test_client *client, bool apart, unsigned patience)
{
	struct fault fault = FAULT_NONE;
	const struct flow_config config = { .buffer = CHANNEL_SIZE, .half_close = true };
	memset(client, 0, sizeof *client);
	client->patience = patience;
	client->local = subscriber_new(bus, &client->queue, apart ? 65536 : 0, false, &fault);
	client->remote = stream_new(&lent_test_ops, strdup("one"), 0, &fault);
	CHECK(client->local != NULL && client->remote != NULL);
	client->remote->impl = client;
	client->remote->write.fd = 1000;
	if (apart) {
		client->remote->caps.message_max = 65536;
		client->remote->caps.batch = lent_test_random(2) == 0 ? 0 : 8;
	}
	CHECK(flow_open(&client->flow, client->local, client->remote, &config, 1, &fault));
}

/* A turn in which the sink may be written to. */
static void
lent_test_step(struct lent_test_client *client)
{
	pollset_begin(&client->pollset);
	flow_ask(&client->flow, &client->pollset, 2);
	for (size_t i = 0; i < client->pollset.count; i++)
		client->pollset.polls[i].revents = client->pollset.polls[i].events;
	flow_step(&client->flow, &client->pollset, 2);
}

static void
lent_test_publish(struct stream *publisher)
{
	struct iovec pieces[3];
	struct fault fault = FAULT_NONE;
	size_t put = 0, at = lent_test_count;
	int count = 1 + (int)lent_test_random(3);
	for (int i = 0; i < count; i++) {
		size_t length = lent_test_random(LENT_TEST_LONGEST);
		pieces[i] = (struct iovec){ lent_test_said + at, length };
		for (size_t j = 0; j < length; j++)
			lent_test_said[at++] = (unsigned char)lent_test_random(256);
	}
	enum io result = stream_write(publisher, pieces, count, &put, &fault);
	CHECK(result == IO_OK || result == IO_AGAIN);
	bool apart = publisher->caps.message_max > 0;
	lent_test_count += apart ? stream_total(pieces, (int)put) : put;
	lent_test_messages += apart ? put : 0;
}

static void
lent_test_check(struct lent_test_client *client, bool apart)
{
	const struct flow *flow = &client->flow;
	bool failed = fault_is_set(&flow->fault);
	CHECK(flow->state == FLOW_DONE);
	CHECK(flow->read == flow->written && flow->written == client->count && flow->lost == 0);
	CHECK(client->count <= lent_test_count);
	CHECK(memcmp(client->got, lent_test_said, client->count) == 0);
	CHECK(failed == client->queue.full);
	CHECK(client->shut == !failed);
	if (failed) {
		CHECK(flow->fault.status == STATUS_SEND);
		return;
	}
	CHECK(client->count == lent_test_count);
	if (apart)
		CHECK(client->messages == lent_test_messages);
}

static void
lent_test_round(void)
{
	struct bus bus = {
		.limit = 1000 + lent_test_random(5000),
		.slow = lent_test_random(2) == 0 ? BUS_WAIT : BUS_DISCONNECT,
	};
	struct bus_queue publisher_queue;
	struct fault fault = FAULT_NONE;
	bool apart = lent_test_random(2) == 0;
	lent_test_count = lent_test_messages = 0;
	struct stream *publisher =
		subscriber_new(&bus, &publisher_queue, apart ? 65536 : 0, true, &fault);
	CHECK(publisher != NULL);
	for (size_t i = 0; i < LENT_TEST_CLIENTS; i++)
		lent_test_join(&bus, &lent_test_all[i], apart, (unsigned)i * 3);
	for (unsigned step = 0; step < 1500; step++) {
		if (lent_test_random(4) == 0 && !publisher_queue.blocked)
			lent_test_publish(publisher);
		lent_test_step(&lent_test_all[lent_test_random(LENT_TEST_CLIENTS)]);
	}
	(void)stream_shut(publisher, true, &fault);
	for (unsigned step = 0; step < 20000; step++)
		lent_test_step(&lent_test_all[step % LENT_TEST_CLIENTS]);
	for (size_t i = 0; i < LENT_TEST_CLIENTS; i++) {
		struct lent_test_client *client = &lent_test_all[i];
		lent_test_check(client, apart);
		flow_close(&client->flow);
		stream_close(client->local, true);
		stream_close(client->remote, true);
		pollset_close(&client->pollset);
	}
	stream_close(publisher, true);
	CHECK(bus.first == NULL && bus.subscribers == 0);
}

int
main(void)
{
	for (unsigned round = 0; round < LENT_TEST_ROUNDS; round++) {
		lent_test_state = round;
		lent_test_round();
	}
	return check_verdict("lent");
}
