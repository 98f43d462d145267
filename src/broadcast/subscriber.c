/* The streams of a bus; see subscriber.h. */
#include "broadcast/subscriber.h"

#include <string.h>

struct subscriber {
	struct bus_queue *queue; /* not owned */
	size_t max;              /* the largest message; 0: bytes */
	bool publisher;          /* nothing is queued for it */
};

/* The number of messages before the first that the others cannot be sent: their sessions would fail
 * by it. */
static int
subscriber_count(const struct bus *bus, const struct iovec *pieces, int count)
{
	for (int i = 0; bus->no_empty && i < count; i++)
		if (pieces[i].iov_len == 0)
			return i;
	return count;
}

static enum io
subscriber_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct subscriber *subscriber = stream->impl;
	*put = 0;
	if (count == 0)
		return IO_OK;
	bool apart = subscriber->max > 0;
	if (apart)
		count = subscriber_count(subscriber->queue->bus, pieces, count);
	if (count == 0)
		return IO_FAULT(fault, STATUS_FRAMING, 0,
			"send to %s: an empty message, which OpenSSL cannot send with DTLS",
			stream->name);
	enum io result = bus_publish(subscriber->queue, pieces, count, apart, put, fault);
	if (result != IO_OK)
		return result;
	if (!apart)
		*put = stream_total(pieces, count);
	/* There is no descriptor to wait on: continue at once. */
	stream->write.at = STREAM_NOW;
	return IO_OK;
}

static enum io
subscriber_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct subscriber *subscriber = stream->impl;
	(void)fault;
	/* After a failure subscribers must not read a clean end. */
	if (subscriber->publisher && half_close)
		bus_end(subscriber->queue->bus);
	return IO_OK;
}

static void
subscriber_close(struct stream *stream, bool clean)
{
	struct subscriber *subscriber = stream->impl;
	(void)clean;
	bus_leave(subscriber->queue);
}

/* No read: the queue lends (stream/lender.h). */
static const struct stream_ops subscriber_ops = {
	.write = subscriber_write,
	.shut = subscriber_shut,
	.close = subscriber_close,
};

struct stream *
subscriber_new(
	struct bus *bus, struct bus_queue *queue, size_t max, bool publisher, struct fault *fault)
{
	struct stream *stream =
		stream_new(&subscriber_ops, strdup(publisher ? "all clients" : "the other clients"),
			sizeof(struct subscriber), fault);
	if (stream == NULL)
		return NULL;
	*(struct subscriber *)stream->impl = (struct subscriber){ queue, max, publisher };
	bus_join(bus, queue, stream, publisher);
	stream->caps.taken = &bus->taken;
	stream->caps.message_max = max;
	stream->caps.batch = max > 0 ? SIZE_MAX : 0;
	return stream;
}
