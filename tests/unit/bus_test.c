/* The bus against a model: subscribers join and leave, publish and take data. Each receives what
 * was published while it was subscribed, whole, in order and once, and no queue exceeds its limit.
 * Memory fails now and then; then a message goes to all or to none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "broadcast/bus.h"

#define BUS_TEST_COUNT 9
#define BUS_TEST_QUEUE 4096
#define BUS_TEST_ROUNDS 400
#define BUS_TEST_STEPS 400
#define BUS_TEST_LONGEST 90

struct bus_test_queue {
	struct bus_queue queue;
	struct stream stream;
	bool there;
	/* The model: */
	bool publish_only, full, blocked, unseen;
	unsigned messages[BUS_TEST_QUEUE]; /* queued, by number */
	size_t count, offset;
	uint64_t dropped;
};

static struct bus_test_queue bus_test_all[BUS_TEST_COUNT];
static struct bus bus_test_bus;
static unsigned bus_test_state, bus_test_next;
static bool bus_test_apart, bus_test_starves;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static unsigned
bus_test_random(unsigned most)
{
	bus_test_state = bus_test_state * 1664525u + 1013904223u;
	return (bus_test_state >> 8) % most;
}

void *
__wrap_malloc(size_t size)
{
	return bus_test_starves && bus_test_random(4) == 0 ? NULL : __real_malloc(size);
}

static size_t
bus_test_length(unsigned message)
{
	return message % 5 == 0 ? 0 : message * 2654435761u % BUS_TEST_LONGEST;
}

static unsigned char
bus_test_byte(unsigned message, size_t at)
{
	return (unsigned char)(message * 31 + at * 7);
}

static size_t
bus_test_weight(const struct bus_test_queue *one)
{
	size_t weight = 0;
	for (size_t i = 0; i < one->count; i++)
		weight += bus_test_length(one->messages[i]) + CHUNKS_COST;
	return weight;
}

/* The queue equals the model. */
static void
bus_test_compare(const struct bus_test_queue *one)
{
	static struct iovec pieces[BUS_TEST_QUEUE];
	size_t bytes = 0;
	CHECK(one->queue.chunks.count == one->count);
	CHECK(one->queue.chunks.weight == bus_test_weight(one));
	CHECK(one->queue.lender.dropped == one->dropped);
	CHECK(one->queue.full == one->full);
	CHECK(one->queue.publish_only == (one->publish_only || one->full));
	CHECK(one->queue.blocked == one->blocked);
	CHECK(one->queue.unseen == one->unseen);
	int looked = chunks_look(&one->queue.chunks, pieces, BUS_TEST_QUEUE);
	CHECK((size_t)looked == one->count);
	for (size_t i = 0; i < one->count && i < (size_t)looked; i++) {
		size_t from = i == 0 ? one->offset : 0;
		size_t length = bus_test_length(one->messages[i]) - from;
		bytes += length;
		CHECK(pieces[i].iov_len == length);
		for (size_t j = 0; j < length && j < pieces[i].iov_len; j++)
			CHECK(((unsigned char *)pieces[i].iov_base)[j] ==
				bus_test_byte(one->messages[i], from + j));
	}
	CHECK(one->queue.chunks.bytes == bytes);
	/* The stream of a queue with data is ready. */
	if (one->count > 0)
		CHECK(one->stream.ready);
}

static void
bus_test_compare_all(void)
{
	size_t subscribers = 0;
	for (size_t i = 0; i < BUS_TEST_COUNT; i++) {
		if (!bus_test_all[i].there)
			continue;
		bus_test_compare(&bus_test_all[i]);
		subscribers += !bus_test_all[i].publish_only && !bus_test_all[i].full;
	}
	CHECK(bus_test_bus.subscribers == subscribers);
}

static void
bus_test_join(struct bus_test_queue *one)
{
	one->there = true;
	one->publish_only = bus_test_random(4) == 0;
	one->full = one->blocked = one->unseen = false;
	one->count = one->offset = 0;
	one->dropped = 0;
	one->stream = (struct stream){ .read.fd = -1, .write.fd = -1 };
	bus_join(&bus_test_bus, &one->queue, &one->stream, one->publish_only);
	CHECK(one->stream.ready == bus_test_bus.ended);
}

/* All queues that waited to publish have been woken. */
static void
bus_test_unblocked(void)
{
	for (size_t i = 0; i < BUS_TEST_COUNT; i++) {
		struct bus_test_queue *one = &bus_test_all[i];
		if (!one->there || !one->blocked)
			continue;
		CHECK(!one->queue.blocked && one->queue.is_woken && one->stream.write.at == 1);
		one->blocked = false;
	}
}

static bool
bus_test_receives(const struct bus_test_queue *one, const struct bus_test_queue *from)
{
	return one->there && one != from && !one->publish_only && !one->full;
}

static bool
bus_test_has_room(const struct bus_test_queue *one, unsigned message)
{
	size_t limit = bus_test_bus.limit, weight = bus_test_length(message) + CHUNKS_COST;
	if (bus_test_bus.slow == BUS_WAIT)
		return bus_test_weight(one) < limit;
	return one->count == 0 || bus_test_weight(one) + weight <= limit;
}

/* Updates the model for one message; false: the publisher has to wait. */
static bool
bus_test_expect(struct bus_test_queue *from, unsigned message)
{
	bool waits = bus_test_bus.slow == BUS_WAIT;
	for (size_t i = 0; i < BUS_TEST_COUNT; i++)
		if (bus_test_receives(&bus_test_all[i], from) &&
			(waits || bus_test_all[i].unseen) &&
			!bus_test_has_room(&bus_test_all[i], message))
			return false;
	for (size_t i = 0; i < BUS_TEST_COUNT; i++) {
		struct bus_test_queue *one = &bus_test_all[i];
		if (!bus_test_receives(one, from))
			continue;
		if (bus_test_has_room(one, message)) {
			one->messages[one->count++] = message;
			one->unseen = true;
			CHECK(one->queue.is_woken);
		} else if (bus_test_bus.slow == BUS_DROP) {
			one->dropped++;
		} else {
			one->full = true;
			CHECK(one->queue.is_woken && one->stream.ready);
			bus_test_unblocked();
		}
	}
	return true;
}

static void
bus_test_say(struct bus_test_queue *from)
{
	static unsigned char bytes[4][BUS_TEST_LONGEST];
	struct iovec pieces[4];
	struct fault fault = FAULT_NONE;
	int count = bus_test_apart ? 1 + (int)bus_test_random(4) : 1;
	size_t published = 99;
	bool hungry = bus_test_starves;
	if (from->blocked)
		return;
	for (int i = 0; i < count; i++) {
		unsigned message = bus_test_next + (unsigned)i;
		for (size_t j = 0; j < bus_test_length(message); j++)
			bytes[i][j] = bus_test_byte(message, j);
		pieces[i] = (struct iovec){ bytes[i], bus_test_length(message) };
	}
	from->stream.write.at = 0;
	enum io result =
		bus_publish(&from->queue, pieces, count, bus_test_apart, &published, &fault);
	CHECK(result == IO_OK ? published > 0 && published <= (size_t)count : published == 0);
	for (size_t i = 0; i < published; i++)
		CHECK(bus_test_expect(from, bus_test_next++));
	if (result == IO_OK && published < (size_t)count && !hungry)
		CHECK(!bus_test_expect(from, bus_test_next));
	if (result == IO_AGAIN && from->stream.write.at == CLOCK_NEVER) {
		from->blocked = true;
		CHECK(!bus_test_expect(from, bus_test_next));
	} else if (result == IO_AGAIN) {
		CHECK(hungry && from->stream.write.at > 1);
	}
	CHECK(result != IO_FAIL);
}

static void
bus_test_take(struct bus_test_queue *one)
{
	size_t before = bus_test_weight(one), taken = 0, bytes = 0;
	if (one->count == 0)
		return;
	if (bus_test_apart) {
		taken = 1 + bus_test_random((unsigned)one->count);
		for (size_t i = 0; i < taken; i++)
			bytes += bus_test_length(one->messages[i]);
		bus_take(&one->queue, bytes, taken);
	} else {
		bytes = bus_test_random((unsigned)one->queue.chunks.bytes + 1);
		bus_take(&one->queue, bytes, 0);
		bytes += one->offset;
		one->offset = 0;
		while (taken < one->count && bus_test_length(one->messages[taken]) <= bytes)
			bytes -= bus_test_length(one->messages[taken++]);
		one->offset = bytes;
	}
	one->count -= taken;
	memmove(one->messages, one->messages + taken, one->count * sizeof one->messages[0]);
	if (before >= bus_test_bus.limit && bus_test_weight(one) < bus_test_bus.limit)
		bus_test_unblocked();
}

static void
bus_test_attend(struct bus_test_queue *one)
{
	bus_attend(&one->queue);
	if (one->unseen && bus_test_bus.slow != BUS_WAIT)
		bus_test_unblocked();
	one->unseen = false;
}

static void
bus_test_step(struct bus_test_queue *one)
{
	switch (bus_test_random(14)) {
	case 0:
		bus_leave(&one->queue);
		one->there = one->blocked = false;
		CHECK(one->queue.bus == NULL);
		bus_test_unblocked();
		break;
	case 1:
		if (bus_test_random(4) != 0)
			break;
		bus_unsubscribe(&one->queue);
		if (!one->publish_only && !one->full)
			bus_test_unblocked();
		one->publish_only = true;
		break;
	case 2:
		for (struct bus_queue *queue; (queue = bus_next_woken(&bus_test_bus)) != NULL;)
			CHECK(queue->bus == &bus_test_bus && !queue->is_woken);
		break;
	case 3:
		if (bus_test_random(20) == 0) {
			bus_end(&bus_test_bus);
			for (size_t i = 0; i < BUS_TEST_COUNT; i++)
				if (bus_test_all[i].there)
					CHECK(bus_test_all[i].queue.is_woken &&
						bus_test_all[i].stream.ready);
		}
		break;
	case 4:
	case 5:
	case 6:
		bus_test_take(one);
		break;
	case 7:
	case 8:
		bus_test_attend(one);
		break;
	default:
		bus_test_say(one);
		break;
	}
}

/* Queues are woken in the order in which they began to wait. */
static void
bus_test_order(void)
{
	struct bus bus = { .limit = 1, .slow = BUS_WAIT };
	static const size_t order[] = { 2, 0, 3, 1 };
	for (size_t i = 0; i < 4; i++)
		bus_join(&bus, &bus_test_all[i].queue, &bus_test_all[i].stream, false);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < 4; i++)
			bus_block(&bus_test_all[order[(i + round) % 4]].queue);
		bus_unblock(&bus);
		for (size_t i = 0; i < 4; i++)
			CHECK(bus_next_woken(&bus) == &bus_test_all[order[(i + round) % 4]].queue);
		CHECK(bus_next_woken(&bus) == NULL);
	}
	for (size_t i = 0; i < 4; i++)
		bus_leave(&bus_test_all[i].queue);
	CHECK(bus.first == NULL && bus.last == NULL && bus.woken == NULL);
}

/* Notices do not wait; with BUS_WAIT a dropped one is not counted. */
static void
bus_test_notice(enum bus_slow slow, uint64_t dropped)
{
	struct bus bus = { .limit = 1, .slow = slow };
	struct iovec word = { (char[]){ 'x' }, 1 };
	struct bus_queue *from = &bus_test_all[0].queue, *to = &bus_test_all[1].queue;
	for (size_t i = 0; i < 2; i++)
		bus_join(&bus, &bus_test_all[i].queue, &bus_test_all[i].stream, false);
	bus_notify(from, &word, 1);
	CHECK(to->chunks.count == 1 && to->lender.dropped == 0);
	bus_notify(from, &word, 1);
	CHECK(to->chunks.count == 1 && to->lender.dropped == dropped && !to->full);
	for (size_t i = 0; i < 2; i++)
		bus_leave(&bus_test_all[i].queue);
}

/* Only chunks that a read has counted are lent, and a read says what is still to come. */
static void
bus_test_lend(bool apart)
{
	struct bus bus = { .limit = 100, .slow = BUS_WAIT };
	struct bus_queue *from = &bus_test_all[0].queue, *to = &bus_test_all[1].queue;
	struct stream *stream = &bus_test_all[1].stream;
	struct lender *lender = &to->lender;
	struct iovec word = { (char[]){ "abc" }, 3 }, pieces[4];
	struct fault fault = FAULT_NONE;
	size_t got = 0, said;
	stream->read.draining = false;
	for (size_t i = 0; i < 2; i++)
		bus_join(&bus, &bus_test_all[i].queue, &bus_test_all[i].stream, false);
	CHECK(stream->caps.lender == lender);
	CHECK(lender->ops->read(lender, &got) == IO_AGAIN && stream->read.at == 0);
	CHECK(bus_publish(from, &word, 1, apart, &said, &fault) == IO_OK && stream->ready);
	CHECK(lender->ops->lend(lender, pieces, 4) == 0);
	CHECK(lender->ops->read(lender, &got) == IO_OK && got == 3 && !stream->ready);
	CHECK(bus_publish(from, &word, 1, apart, &said, &fault) == IO_OK && stream->ready);
	CHECK(lender->ops->lend(lender, pieces, 4) == 1 && pieces[0].iov_len == 3);
	CHECK(lender->count == 1 && lender->bytes == 3);
	if (!apart) {
		lender->ops->consume(lender, 1, 0);
		CHECK(lender->count == 1 && lender->bytes == 2);
		CHECK(lender->ops->lend(lender, pieces, 4) == 1 && pieces[0].iov_len == 2);
	}
	lender->ops->consume(lender, lender->bytes, apart ? 1 : 0);
	CHECK(lender->count == 0 && lender->bytes == 0 && to->chunks.count == 1);
	CHECK(lender->ops->lend(lender, pieces, 4) == 0);
	CHECK(lender->ops->read(lender, &got) == IO_OK && got == 3);
	lender->ops->consume(lender, 3, apart ? 1 : 0);
	/* More is to come: without an end yet for a reader that drains. */
	bus_expect(&bus, true);
	CHECK(lender->ops->read(lender, &got) == IO_AGAIN && stream->read.at == 0);
	stream->read.draining = true;
	CHECK(lender->ops->read(lender, &got) == IO_AGAIN && stream->read.at == CLOCK_NEVER);
	bus_expect(&bus, false);
	CHECK(stream->read.at == 0 && stream->ready && bus_next_woken(&bus) != NULL);
	CHECK(lender->ops->read(lender, &got) == IO_AGAIN && stream->read.at == 0);
	bus_end(&bus);
	CHECK(lender->ops->read(lender, &got) == IO_END && stream->ready);
	stream->read.draining = false;
	for (size_t i = 0; i < 2; i++)
		bus_leave(&bus_test_all[i].queue);
	/* A stream that joins after the end reads it at once. */
	bus_join(&bus, to, stream, false);
	CHECK(stream->ready && lender->ops->read(lender, &got) == IO_END);
	bus_leave(to);
}

/* A queue that is finished has the end for its reader, and receives no more. */
static void
bus_test_finish(void)
{
	struct bus bus = { .limit = 100, .slow = BUS_WAIT };
	struct bus_queue *from = &bus_test_all[0].queue, *to = &bus_test_all[1].queue;
	struct iovec word = { (char[]){ 'x' }, 1 };
	struct fault fault = FAULT_NONE;
	size_t got = 0, published;
	for (size_t i = 0; i < 2; i++)
		bus_join(&bus, &bus_test_all[i].queue, &bus_test_all[i].stream, false);
	CHECK(to->lender.ops->read(&to->lender, &got) == IO_AGAIN);
	bus_finish(to);
	CHECK(bus_publish(from, &word, 1, false, &published, &fault) == IO_OK);
	CHECK(to->lender.ops->read(&to->lender, &got) == IO_END && got == 0);
	for (size_t i = 0; i < 2; i++)
		bus_leave(&bus_test_all[i].queue);
}

/* After a success, the limit on a lack of memory starts again. */
static void
bus_test_backoff(void)
{
	struct bus bus = { .limit = 100, .slow = BUS_WAIT };
	struct bus_queue *from = &bus_test_all[0].queue;
	struct iovec word = { (char[]){ 'x' }, 1 };
	struct fault fault = FAULT_NONE;
	size_t published;
	for (size_t i = 0; i < 2; i++)
		bus_join(&bus, &bus_test_all[i].queue, &bus_test_all[i].stream, false);
	from->backoff.ends = 1;
	CHECK(bus_publish(from, &word, 1, false, &published, &fault) == IO_OK);
	CHECK(from->backoff.ends == 0);
	for (size_t i = 0; i < 2; i++)
		bus_leave(&bus_test_all[i].queue);
}

int
main(int argc, char *argv[])
{
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : BUS_TEST_ROUNDS;
	for (unsigned round = seed; round < seed + rounds; round++) {
		bus_test_state = round * 2654435761u;
		bus_test_apart = bus_test_random(2) == 0;
		bus_test_bus = (struct bus){
			.limit = 1 + bus_test_random(bus_test_random(2) == 0 ? 200 : 2000),
			.slow = (enum bus_slow)bus_test_random(3),
		};
		for (unsigned step = 0; step < BUS_TEST_STEPS; step++) {
			struct bus_test_queue *one = &bus_test_all[bus_test_random(BUS_TEST_COUNT)];
			bus_test_starves = bus_test_random(8) == 0;
			if (one->there)
				bus_test_step(one);
			else
				bus_test_join(one);
			bus_test_starves = false;
			bus_test_compare_all();
		}
		for (size_t i = 0; i < BUS_TEST_COUNT; i++) {
			bus_leave(&bus_test_all[i].queue);
			bus_test_all[i].there = false;
		}
		CHECK(bus_test_bus.first == NULL && bus_test_bus.woken == NULL);
		CHECK(bus_test_bus.subscribers == 0);
	}
	bus_test_order();
	bus_test_finish();
	bus_test_backoff();
	bus_test_notice(BUS_WAIT, 0);
	bus_test_notice(BUS_DROP, 1);
	bus_test_notice(BUS_DISCONNECT, 1);
	bus_test_lend(false);
	bus_test_lend(true);
	return check_verdict("bus");
}
