/* Broadcast bus; see bus.h. */
#include "broadcast/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* --- queues --- */

/* Puts a queue in the list of woken ones. */
static void
bus_wake(struct bus_queue *queue)
{
	struct bus *bus = queue->bus;
	if (bus == NULL || queue->is_woken)
		return;
	queue->is_woken = true;
	queue->next_woken = NULL;
	*(bus->woken != NULL ? &bus->last_woken->next_woken : &bus->woken) = queue;
	bus->last_woken = queue;
}

struct bus_queue *
bus_next_woken(struct bus *bus)
{
	struct bus_queue *queue = bus->woken;
	if (queue != NULL) {
		bus->woken = queue->next_woken;
		queue->is_woken = false;
	}
	return queue;
}

static void
bus_forget_woken(struct bus *bus, struct bus_queue *queue)
{
	struct bus_queue *before = NULL;
	if (!queue->is_woken)
		return;
	for (struct bus_queue *other = bus->woken; other != queue; other = other->next_woken)
		before = other;
	*(before != NULL ? &before->next_woken : &bus->woken) = queue->next_woken;
	if (bus->last_woken == queue)
		bus->last_woken = before;
	queue->is_woken = false;
}

static void
bus_append(struct bus *bus, struct bus_queue *queue)
{
	queue->next = NULL;
	queue->previous = bus->last;
	*(bus->last != NULL ? &bus->last->next : &bus->first) = queue;
	bus->last = queue;
}

static void
bus_take_out(struct bus *bus, struct bus_queue *queue)
{
	*(queue->previous != NULL ? &queue->previous->next : &bus->first) = queue->next;
	*(queue->next != NULL ? &queue->next->previous : &bus->last) = queue->previous;
}

static enum io
bus_read(struct lender *lender, size_t *got)
{
	struct bus_queue *queue = (struct bus_queue *)lender;
	struct stream *stream = queue->stream;
	bool more = queue->chunks.count > lender->count;
	bus_attend(queue);
	/* Chunks that are queued later count with the next read. */
	bool ended = queue->bus->ended || queue->finished;
	stream->ready = queue->full || ended;
	*got = queue->chunks.bytes - lender->bytes;
	lender->count = queue->chunks.count;
	lender->bytes = queue->chunks.bytes;
	if (more)
		return IO_OK;
	if (queue->full)
		return IO_FAIL;
	if (ended)
		return IO_END;
	/* IO_AGAIN without a time would count as the end; the bus wakes the stream. */
	if (stream->read.draining && queue->bus->more)
		stream->read.at = CLOCK_NEVER;
	return IO_AGAIN;
}

static int
bus_lend(const struct lender *lender, struct iovec *pieces, int room)
{
	const struct bus_queue *queue = (const struct bus_queue *)lender;
	size_t count = lender->count < (size_t)room ? lender->count : (size_t)room;
	return chunks_look(&queue->chunks, pieces, (int)count);
}

static void
bus_consume(struct lender *lender, size_t bytes, size_t messages)
{
	struct bus_queue *queue = (struct bus_queue *)lender;
	size_t before = queue->chunks.count;
	lender->bytes -= bytes;
	bus_take(queue, bytes, messages);
	lender->count -= before - queue->chunks.count;
}

static const struct lender_ops bus_lender_ops = { bus_read, bus_lend, bus_consume };

void
bus_join(struct bus *bus, struct bus_queue *queue, struct stream *stream, bool publish_only)
{
	*queue = (struct bus_queue){
		.lender = { .ops = &bus_lender_ops, .taken = &bus->taken },
		.bus = bus,
		.stream = stream,
		.publish_only = publish_only,
	};
	stream->caps.lender = publish_only ? NULL : &queue->lender;
	bus_append(bus, queue);
	bus->subscribers += !publish_only;
	/* After the end of the bus, read the end at once. */
	stream->ready = bus->ended;
}

void
bus_block(struct bus_queue *queue)
{
	queue->bus->blocked += !queue->blocked;
	queue->blocked = true;
	queue->stream->write.at = CLOCK_NEVER;
	bus_take_out(queue->bus, queue);
	bus_append(queue->bus, queue);
}

void
bus_unblock(struct bus *bus)
{
	if (bus->blocked == 0)
		return;
	bus->blocked = 0;
	for (struct bus_queue *queue = bus->first; queue != NULL; queue = queue->next) {
		if (!queue->blocked)
			continue;
		queue->blocked = false;
		queue->stream->write.at = STREAM_NOW;
		bus_wake(queue);
	}
}

void
bus_unsubscribe(struct bus_queue *queue)
{
	if (queue->bus == NULL || queue->publish_only)
		return;
	queue->publish_only = true;
	queue->bus->subscribers--;
	bus_unblock(queue->bus);
}

void
bus_leave(struct bus_queue *queue)
{
	struct bus *bus = queue->bus;
	if (bus == NULL)
		return;
	chunks_close(&queue->chunks);
	bus_take_out(bus, queue);
	bus_forget_woken(bus, queue);
	bus->subscribers -= !queue->publish_only;
	*queue = (struct bus_queue){ .bus = NULL };
	bus_unblock(bus);
}

/* --- publishing --- */

static bool
bus_receives(const struct bus_queue *queue, const struct bus_queue *from)
{
	return queue != from && !queue->publish_only;
}

/* Wakes a subscriber to read. */
static void
bus_wake_reader(struct bus_queue *queue)
{
	queue->stream->ready = true;
	queue->stream->read.at = 0;
	bus_wake(queue);
}

static bool
bus_has_room(const struct bus *bus, const struct bus_queue *queue, size_t length)
{
	if (bus->slow == BUS_WAIT)
		return queue->chunks.weight < bus->limit;
	return queue->chunks.count == 0 ||
		(queue->chunks.weight <= bus->limit &&
			length + CHUNKS_COST <= bus->limit - queue->chunks.weight);
}

/* Queues a chunk, or applies the policy for a full queue. */
static void
bus_put(struct bus *bus, struct bus_queue *queue, struct chunk *chunk)
{
	bool fits = bus_has_room(bus, queue, chunk->length);
	if (!fits && (bus->slow != BUS_DISCONNECT || queue->unseen)) {
		/* With BUS_WAIT only notices are dropped, which are not counted. */
		queue->lender.dropped += bus->slow != BUS_WAIT;
		return;
	}
	if (!fits) {
		queue->full = true;
		bus_unsubscribe(queue);
	} else {
		chunks_add(&queue->chunks, chunk);
		queue->unseen = true;
	}
	bus_wake_reader(queue);
}

/* Queues a chunk for all subscribers, or, if memory runs out, for none. */
static bool
bus_publish_chunk(struct bus_queue *from, const struct iovec *pieces, int count)
{
	struct bus *bus = from->bus;
	for (struct bus_queue *queue = bus->first; queue != NULL; queue = queue->next)
		if (bus_receives(queue, from) && !chunks_reserve(&queue->chunks))
			return false;
	struct chunk *chunk = chunks_make(pieces, count);
	if (chunk == NULL)
		return false;
	for (struct bus_queue *queue = bus->first; queue != NULL; queue = queue->next)
		if (bus_receives(queue, from))
			bus_put(bus, queue, chunk);
	chunks_release(chunk);
	return true;
}

static bool
bus_must_wait(const struct bus *bus, const struct bus_queue *from, size_t length)
{
	for (const struct bus_queue *queue = bus->first; queue != NULL; queue = queue->next)
		if (bus_receives(queue, from) && (bus->slow == BUS_WAIT || queue->unseen) &&
			!bus_has_room(bus, queue, length))
			return true;
	return false;
}

enum io
bus_publish(struct bus_queue *from, const struct iovec *pieces, int count, bool apart,
	size_t *published, struct fault *fault)
{
	struct bus *bus = from->bus;
	size_t all = apart ? (size_t)count : 1;
	int each = apart ? 1 : count;
	bool waits = false;
	*published = 0;
	/* Without other subscribers the data is dropped. */
	if (bus->subscribers == !from->publish_only)
		*published = all;
	for (; *published < all; ++*published) {
		waits = bus_must_wait(bus, from, stream_total(pieces + *published, each));
		if (waits || !bus_publish_chunk(from, pieces + *published, each))
			break;
	}
	if (*published > 0) {
		backoff_ends(&from->backoff);
		return IO_OK;
	}
	if (waits) {
		bus_block(from);
		return IO_AGAIN;
	}
	if (backoff_waits(&from->backoff, ENOMEM, from->stream, &from->stream->write.at))
		return IO_AGAIN;
	return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "send to all");
}

void
bus_notify(struct bus_queue *from, const struct iovec *pieces, int count)
{
	(void)bus_publish_chunk(from, pieces, count);
}

void
bus_tell(struct bus_queue *queue, const struct iovec *pieces, int count)
{
	struct chunk *chunk = NULL;
	if (!queue->publish_only && chunks_reserve(&queue->chunks))
		chunk = chunks_make(pieces, count);
	if (chunk == NULL)
		return;
	bus_put(queue->bus, queue, chunk);
	chunks_release(chunk);
}

void
bus_finish(struct bus_queue *queue)
{
	queue->finished = true;
	bus_unsubscribe(queue);
	bus_wake_reader(queue);
}

static void
bus_wake_readers(struct bus *bus)
{
	for (struct bus_queue *queue = bus->first; queue != NULL; queue = queue->next)
		bus_wake_reader(queue);
}

void
bus_expect(struct bus *bus, bool more)
{
	bool was = bus->more;
	bus->more = more;
	if (was && !more)
		bus_wake_readers(bus);
}

void
bus_end(struct bus *bus)
{
	bus->ended = true;
	bus_wake_readers(bus);
}

/* --- taking from a queue --- */

void
bus_attend(struct bus_queue *queue)
{
	struct bus *bus = queue->bus;
	bool was = queue->unseen;
	queue->unseen = false;
	if (was && bus->slow != BUS_WAIT)
		bus_unblock(bus);
}

void
bus_take(struct bus_queue *queue, size_t bytes, size_t messages)
{
	struct bus *bus = queue->bus;
	bool was_full = queue->chunks.weight >= bus->limit;
	bus->taken++;
	chunks_take(&queue->chunks, bytes, messages);
	/* Publishers may be waiting. */
	if (was_full && queue->chunks.weight < bus->limit)
		bus_unblock(bus);
}
