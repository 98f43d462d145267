/* Flows out of boxes: whatever the sinks take at a time, each gets all that was said, in order, as
 * bytes or as messages, then the end; one that is too slow gets a whole prefix and a failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "flow/flow.h"
#include "stream/member.h"
#include "stream/post.h"

#define FANOUT_TEST_CLIENTS 5
#define FANOUT_TEST_ROUNDS 300
#define FANOUT_TEST_MOST 200000
#define FANOUT_TEST_LONGEST 60

struct fanout_test_client {
	struct stream local, remote;
	struct post_box box;
	struct flow flow;
	struct interest interest;
	unsigned char got[FANOUT_TEST_MOST];
	size_t count, messages;
	unsigned patience; /* of 16: how often it takes nothing */
	bool shut;
};

static struct fanout_test_client fanout_test_all[FANOUT_TEST_CLIENTS];
static unsigned char fanout_test_said[FANOUT_TEST_MOST];
static size_t fanout_test_count, fanout_test_messages;
static unsigned fanout_test_state;

static unsigned
fanout_test_random(unsigned most)
{
	fanout_test_state = fanout_test_state * 1664525u + 1013904223u;
	return (fanout_test_state >> 8) % most;
}

static enum io
fanout_test_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct fanout_test_client *client = stream->impl;
	size_t most = stream->wmessage_max > 0 ? SIZE_MAX : 1 + fanout_test_random(300);
	(void)fault;
	*put = 0;
	if (fanout_test_random(16) < client->patience)
		return IO_AGAIN;
	if (stream->wbatch > 1)
		count = 1 + (int)fanout_test_random((unsigned)count);
	for (int i = 0; i < count && *put < most; i++) {
		size_t n = pieces[i].iov_len < most - *put ? pieces[i].iov_len : most - *put;
		if (n > 0)
			memcpy(client->got + client->count, pieces[i].iov_base, n);
		client->count += n;
		*put += n;
		client->messages++;
	}
	stream->wtaken = stream->wbatch > 1 ? (size_t)count : 99;
	return IO_OK;
}

static enum io
fanout_test_shut(struct stream *stream, struct fault *fault)
{
	struct fanout_test_client *client = stream->impl;
	(void)fault;
	client->shut = stream->half_close;
	return IO_OK;
}

static void
fanout_test_close(struct stream *stream)
{
	(void)stream;
}

static const struct stream_ops fanout_test_ops = {
	.write = fanout_test_write,
	.shut = fanout_test_shut,
	.close = fanout_test_close,
};

static void
fanout_test_join(struct post *post, struct fanout_test_client *client, bool apart, unsigned patience)
{
	struct fault fault = FAULT_NONE;
	const struct flow_config config = { .buffer = CARRIER_SIZE };
	memset(client, 0, sizeof *client);
	client->patience = patience;
	CHECK(member_init(&client->local, post, &client->box, apart ? 65536 : 0, &fault));
	stream_init(&client->remote, &fanout_test_ops, strdup("one"), client);
	client->remote.wfd = 1000;
	if (apart) {
		client->remote.wmessage_max = 65536;
		client->remote.wbatch = fanout_test_random(2) == 0 ? 0 : 8;
	}
	CHECK(flow_open(&client->flow, &client->local, &client->remote, &config, 1, &fault));
}

/* A turn, in which the sink may be written to. */
static void
fanout_test_step(struct fanout_test_client *client)
{
	interest_begin(&client->interest);
	flow_ask(&client->flow, &client->interest, 2);
	for (size_t i = 0; i < client->interest.count; i++)
		client->interest.polls[i].revents = client->interest.polls[i].events;
	flow_step(&client->flow, &client->interest, 2);
}

static void
fanout_test_say(struct stream *speaker)
{
	struct iovec pieces[3];
	struct fault fault = FAULT_NONE;
	size_t put = 0, at = fanout_test_count;
	int count = 1 + (int)fanout_test_random(3);
	for (int i = 0; i < count; i++) {
		size_t length = fanout_test_random(FANOUT_TEST_LONGEST);
		pieces[i] = (struct iovec){ fanout_test_said + at, length };
		for (size_t j = 0; j < length; j++)
			fanout_test_said[at++] = (unsigned char)fanout_test_random(256);
	}
	enum io result = speaker->ops->write(speaker, pieces, count, &put, &fault);
	CHECK(result == IO_OK || result == IO_AGAIN);
	fanout_test_count += put;
	if (result == IO_OK)
		fanout_test_messages += speaker->wtaken;
}

static void
fanout_test_check(struct fanout_test_client *client, bool apart)
{
	const struct flow *flow = &client->flow;
	bool failed = fault_is_set(&flow->fault);
	CHECK(flow->state == FLOW_DONE);
	CHECK(flow->read == flow->written && flow->written == client->count && flow->lost == 0);
	CHECK(client->count <= fanout_test_count);
	CHECK(memcmp(client->got, fanout_test_said, client->count) == 0);
	CHECK(failed == client->box.full);
	CHECK(client->shut == !failed);
	if (failed) {
		CHECK(flow->fault.status == STATUS_SEND);
		return;
	}
	CHECK(client->count == fanout_test_count);
	if (apart)
		CHECK(client->messages == fanout_test_messages);
}

static void
fanout_test_round(void)
{
	struct post post = {
		.limit = 1000 + fanout_test_random(5000),
		.slow = fanout_test_random(2) == 0 ? POST_WAIT : POST_DISCONNECT,
	};
	struct post_box podium;
	struct stream speaker;
	struct fault fault = FAULT_NONE;
	bool apart = fanout_test_random(2) == 0;
	fanout_test_count = fanout_test_messages = 0;
	CHECK(member_init_speaker(&speaker, &post, &podium, apart ? 65536 : 0, &fault));
	for (size_t i = 0; i < FANOUT_TEST_CLIENTS; i++)
		fanout_test_join(&post, &fanout_test_all[i], apart, (unsigned)i * 3);
	for (unsigned step = 0; step < 1500; step++) {
		if (fanout_test_random(4) == 0 && !podium.blocked)
			fanout_test_say(&speaker);
		fanout_test_step(&fanout_test_all[fanout_test_random(FANOUT_TEST_CLIENTS)]);
	}
	(void)speaker.ops->shut(&speaker, &fault);
	for (unsigned step = 0; step < 20000; step++)
		fanout_test_step(&fanout_test_all[step % FANOUT_TEST_CLIENTS]);
	for (size_t i = 0; i < FANOUT_TEST_CLIENTS; i++) {
		struct fanout_test_client *client = &fanout_test_all[i];
		fanout_test_check(client, apart);
		flow_close(&client->flow);
		stream_close(&client->local);
		stream_close(&client->remote);
		interest_close(&client->interest);
	}
	stream_close(&speaker);
	CHECK(post.first == NULL && post.hearers == 0);
}

int
main(void)
{
	for (unsigned round = 0; round < FANOUT_TEST_ROUNDS; round++) {
		fanout_test_state = round;
		fanout_test_round();
	}
	return check_verdict("fanout");
}
