/* What is said to many; see fanout.h. */
#include "flow/fanout.h"

#include "base/clock.h"
#include "stream/post.h"

/* As many pieces as one writev takes; who says something says no more in one turn. */
#define FANOUT_BATCH 1024

/* So many most boxes have waiting at most. */
#define FANOUT_FEW 16

static bool
fanout_has_room(const struct carrier *carrier)
{
	/* What waits is bounded by the box. */
	(void)carrier;
	return true;
}

static bool
fanout_has_data(const struct carrier *carrier)
{
	return carrier->waiting > 0;
}

static enum io
fanout_fill(struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	struct post_box *box = source->box;
	size_t added = box->count - carrier->waiting;
	post_attend(box);
	/* What comes behind it is told by the next one. */
	source->pending = box->full || box->post->ended;
	*got = box->bytes - carrier->held;
	carrier->waiting = box->count;
	carrier->held = box->bytes;
	carrier->brought = added;
	if (added > 0)
		return IO_OK;
	if (box->full) {
		(void)fault_set(fault, STATUS_SEND, 0,
			"send to %s: it does not keep up, %zu bytes wait", carrier->sink->name,
			box->bytes);
		return IO_FAIL;
	}
	if (box->post->ended)
		return IO_END;
	/* "Nothing now" would be the end; there is something, and the office says when. */
	if (source->last && box->post->more)
		source->ragain = CLOCK_NEVER;
	return IO_AGAIN;
}

/* Writes what the pieces, of which there are so many, have room for. */
static enum io
fanout_write(struct carrier *carrier, struct stream *sink, struct iovec *pieces, size_t room,
	size_t *put, struct fault *fault)
{
	struct post_box *box = carrier->box;
	size_t most = sink->wmessage_max == 0 ? room : sink->wbatch > 1 ? sink->wbatch : 1;
	if (most > room)
		most = room;
	if (most > carrier->waiting)
		most = carrier->waiting;
	int count = post_look(box, pieces, (int)most);
	enum io result = sink->ops->write(sink, pieces, count, put, fault);
	if (result != IO_OK)
		return result;
	size_t before = box->count;
	if (sink->wmessage_max > 0)
		post_take_messages(box, count == 1 ? 1 : sink->wtaken);
	else
		post_take(box, *put);
	carrier->waiting -= before - box->count;
	carrier->held -= *put;
	return IO_OK;
}

/* Compilers that clear all variables take longer for many pieces than few are sent in. */
static enum io
fanout_drain_many(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	struct iovec pieces[FANOUT_BATCH];
	return fanout_write(carrier, sink, pieces, FANOUT_BATCH, put, fault);
}

static enum io
fanout_drain(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	struct iovec pieces[FANOUT_FEW];
	if (carrier->waiting > FANOUT_FEW)
		return fanout_drain_many(carrier, sink, put, fault);
	return fanout_write(carrier, sink, pieces, FANOUT_FEW, put, fault);
}

static size_t
fanout_drop(struct carrier *carrier)
{
	size_t dropped = carrier->held;
	carrier->waiting = carrier->held = 0;
	return dropped;
}

static void
fanout_close(struct carrier *carrier)
{
	carrier->waiting = carrier->held = 0;
}

static const struct carrier_ops fanout_ops = {
	.name = "fan-out",
	.has_room = fanout_has_room,
	.has_data = fanout_has_data,
	.fill = fanout_fill,
	.drain = fanout_drain,
	.drop = fanout_drop,
	.close = fanout_close,
};

void
fanout_open(struct carrier *carrier, const struct stream *source)
{
	carrier->box = source->box;
	carrier->ops = &fanout_ops;
}
