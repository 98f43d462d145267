/* Carriers; see carrier.h. */
#include "flow/carrier.h"

#include <errno.h>

/* --- a ring of bytes --- */

static bool
carrier_ring_has_room(const struct carrier *carrier)
{
	return buf_room(&carrier->buf) > 0;
}

static bool
carrier_ring_has_data(const struct carrier *carrier)
{
	return buf_used(&carrier->buf) > 0;
}

static enum io
carrier_ring_fill(struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	struct iovec space[2];
	int count = buf_space(&carrier->buf, space);
	enum io result = source->ops->read(source, space, count, got, fault);
	if (result == IO_OK)
		buf_added(&carrier->buf, *got);
	return result;
}

static enum io
carrier_ring_drain(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	struct iovec bytes[2];
	int count = buf_bytes(&carrier->buf, bytes);
	enum io result = sink->ops->write(sink, bytes, count, put, fault);
	if (result == IO_OK)
		buf_taken(&carrier->buf, *put);
	return result;
}

static const struct carrier_ops carrier_ring = {
	.has_room = carrier_ring_has_room,
	.has_data = carrier_ring_has_data,
	.fill = carrier_ring_fill,
	.drain = carrier_ring_drain,
};

/* --- one message --- */

static bool
carrier_message_has_room(const struct carrier *carrier)
{
	return !carrier->held;
}

static bool
carrier_message_has_data(const struct carrier *carrier)
{
	return carrier->held;
}

static enum io
carrier_message_fill(
	struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	struct iovec space = { carrier->buf.data, carrier->limit };
	enum io result = source->ops->read(source, &space, 1, got, fault);
	if (result == IO_OK) {
		buf_added(&carrier->buf, *got);
		carrier->held = true;
	}
	return result;
}

static enum io
carrier_message_drain(
	struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	/* An empty message is one piece of 0 bytes, which a sink of bytes takes as nothing. */
	struct iovec bytes[2] = { { carrier->buf.data, 0 } };
	int count = buf_bytes(&carrier->buf, bytes);
	size_t length = buf_used(&carrier->buf);
	if (sink->wmessage_max > 0 && length > sink->wmessage_max) {
		(void)fault_set(fault, STATUS_SEND, EMSGSIZE, "send to %s: a message of %zu bytes",
			sink->name, length);
		return IO_FAIL;
	}
	enum io result = sink->ops->write(sink, bytes, count > 0 ? count : 1, put, fault);
	if (result == IO_OK) {
		buf_taken(&carrier->buf, *put);
		carrier->held = buf_used(&carrier->buf) > 0;
	}
	return result;
}

static const struct carrier_ops carrier_message = {
	.has_room = carrier_message_has_room,
	.has_data = carrier_message_has_data,
	.fill = carrier_message_fill,
	.drain = carrier_message_drain,
};

bool
carrier_open(struct carrier *carrier, const struct stream *source, const struct stream *sink,
	size_t size, struct fault *fault)
{
	bool messages = source->rmessages || sink->wmessage_max > 0;
	*carrier = (struct carrier){
		.ops = messages ? &carrier_message : &carrier_ring,
		.limit = size,
	};
	if (!source->rmessages && sink->wmessage_max > 0 && sink->wmessage_max < size)
		carrier->limit = sink->wmessage_max;
	return buf_open(&carrier->buf, size) ||
		fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", source->name);
}

void
carrier_close(struct carrier *carrier)
{
	buf_close(&carrier->buf);
}

size_t
carrier_drop(struct carrier *carrier)
{
	size_t dropped = buf_used(&carrier->buf);
	buf_taken(&carrier->buf, dropped);
	carrier->held = false;
	return dropped;
}
