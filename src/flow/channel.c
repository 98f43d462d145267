/* The channel of a flow, and its ring; see channel.h. */
#include "flow/channel.h"

#include <errno.h>
#include <stdlib.h>

#include "base/event.h"
#include "stream/lender.h"

/* A read that fills this part of the ring is large: more will follow, which the kernel moves
 * faster. For a few bytes read(2) and write(2) are faster than splice(2). */
#define CHANNEL_BULK 8

/* The most pieces of a write (IOV_MAX), and a number that is enough for most. */
#define CHANNEL_PIECES 1024
#define CHANNEL_FEW 16

/* The most that is read at once for a transform. */
#define CHANNEL_RAW ((size_t)32 * 1024)

/* Reads up to `most` bytes and adds them to the buffer, transformed; there is room for twice as
 * much. */
static enum io
channel_fill_changed(struct channel *channel, struct stream *source, size_t most, size_t *got,
	struct fault *fault)
{
	unsigned char *made = channel->raw + most;
	struct iovec space = { channel->raw, most }, pieces[2];
	enum io result = stream_read(source, &space, 1, got, fault);
	if (result != IO_OK)
		return result;
	struct stage *transform = stage_transform(&channel->stages);
	*got = transform->ops->change(transform, channel->raw, *got, false, made);
	(void)stream_copy(pieces, buf_space(&channel->buf, pieces), made, *got);
	buf_added(&channel->buf, *got);
	channel->brought = *got > 0;
	return IO_OK;
}

static void
channel_report(const struct channel *channel, const struct stream *source)
{
	event_emit(&(struct event){ .kind = EVENT_path,
		.peer = source->name,
		.local = channel->sink->name,
		.detail = channel->ops->name,
		.cause = stage_why(&channel->stages) });
}

/* --- a ring of bytes --- */

static void
channel_ring_close(struct channel *channel)
{
	if (channel->buf.data == channel->spare)
		channel->buf.data = NULL;
	buf_close(&channel->buf);
	free(channel->raw);
	channel->raw = NULL;
}

static bool
channel_ring_exists(const struct channel *channel)
{
	return channel->buf.size > 0;
}

static bool
channel_ring_make(struct channel *channel, const struct stream *source, struct fault *fault)
{
	if (channel_ring_exists(channel))
		return true;
	bool changes = stage_transform(&channel->stages) != NULL;
	if (changes)
		channel->raw = malloc(CHANNEL_RAW * 3);
	if (buf_open(&channel->buf, channel->size) && (channel->raw != NULL || !changes))
		return true;
	channel_ring_close(channel);
	if (!channel->lazy || changes)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", source->name);
	channel->buf = (struct buf){ channel->spare, sizeof channel->spare, 0, 0 };
	return true;
}

static bool
channel_ring_has_room(const struct channel *channel)
{
	if (!channel_ring_exists(channel))
		return true;
	/* The kernel takes over when the ring is empty. */
	if (channel->splice && channel->bulk && buf_used(&channel->buf) > 0 &&
		!stage_inspects(&channel->stages))
		return false;
	/* Transformed, one byte may need two. */
	return buf_room(&channel->buf) > (channel->raw != NULL);
}

static bool
channel_ring_has_data(const struct channel *channel)
{
	return buf_used(&channel->buf) > 0;
}

/* Changes an empty ring to a splice channel when reads are large, and both ends and the stages
 * allow it. */
static bool
channel_ring_rises(struct channel *channel, const struct stream *source)
{
	if (!channel->splice || !channel->bulk || buf_used(&channel->buf) > 0 ||
		source->read.draining || stage_inspects(&channel->stages))
		return false;
	channel->splice = false;
	if (!splice_open(channel, source))
		return false;
	channel_ring_close(channel);
	channel_report(channel, source);
	return true;
}

static enum io
channel_ring_fill(struct channel *channel, struct stream *source, size_t *got, struct fault *fault)
{
	struct iovec space[2];
	if (channel_ring_rises(channel, source))
		return channel->ops->fill(channel, source, got, fault);
	if (!channel_ring_make(channel, source, fault))
		return IO_FAIL;
	size_t room = buf_room(&channel->buf) / 2;
	if (channel->raw != NULL)
		return channel_fill_changed(
			channel, source, room < CHANNEL_RAW ? room : CHANNEL_RAW, got, fault);
	int count = buf_space(&channel->buf, space);
	enum io result = stream_read(source, space, count, got, fault);
	if (result == IO_OK)
		buf_added(&channel->buf, *got);
	if (result == IO_END && channel->lazy && buf_used(&channel->buf) == 0)
		channel_ring_close(channel);
	channel->bulk = result == IO_OK && *got >= channel->size / CHANNEL_BULK &&
		source->read.splice != -1;
	channel->brought = result == IO_OK && *got > 0;
	return result;
}

static int
channel_ring_lend(struct channel *channel, struct iovec **pieces, int room)
{
	(void)room; /* at least 2 */
	return buf_bytes(&channel->buf, *pieces);
}

static void
channel_ring_consume(struct channel *channel, size_t bytes, size_t messages)
{
	(void)messages;
	buf_taken(&channel->buf, bytes);
	if (channel->lazy && !channel->bulk && buf_used(&channel->buf) == 0)
		channel_ring_close(channel);
}

const struct channel_ops channel_ring = {
	.name = "copied through memory",
	.has_room = channel_ring_has_room,
	.has_data = channel_ring_has_data,
	.fill = channel_ring_fill,
	.lend = channel_ring_lend,
	.consume = channel_ring_consume,
	.close = channel_ring_close,
};

static bool
channel_begin(struct channel *channel, const struct stream *source, const struct stream *sink,
	const struct flow_config *config, struct fault *fault)
{
	*channel = (struct channel){
		.ops = &channel_ring,
		.sink = sink,
		.size = config->buffer,
		.lazy = config->lazy,
		.pipe = { -1, -1 },
	};
	bool framed = source->caps.messages || sink->caps.message_max > 0 || config->decode != NULL;
	if (!stage_open(&channel->stages, config->stages, framed, fault))
		return false;
	channel->splice = config->splice && stage_transform(&channel->stages) == NULL;
	if (source->caps.lender != NULL) {
		lent_open(channel, source);
		return true;
	}
	if (framed)
		return framed_channel_open(channel, source, config, fault);
	return channel->lazy || channel_ring_make(channel, source, fault);
}

bool
channel_open(struct channel *channel, const struct stream *source, const struct stream *sink,
	const struct flow_config *config, struct fault *fault)
{
	if (!channel_begin(channel, source, sink, config, fault)) {
		stage_close(&channel->stages);
		return false;
	}
	channel_report(channel, source);
	return true;
}

bool
channel_leave(struct channel *channel, size_t held, struct fault *fault)
{
	/* Room for a read: a read of no bytes would look like a source without data. */
	if (!buf_open(&channel->buf, held + channel->size))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer");
	channel->ops = &channel_ring;
	return true;
}

/* --- writing --- */

/* Cuts the pieces to what the stages let pass; returns their number. A message is not cut, and the
 * first one always passes. */
static int
channel_cut(struct channel *channel, struct iovec *pieces, int count, bool messages)
{
	size_t most = stage_limit(&channel->stages, pieces, count);
	for (int i = 0; i < count; i++) {
		if (messages && i > 0 && (most == 0 || pieces[i].iov_len > most))
			return i;
		if (pieces[i].iov_len >= most && !messages) {
			pieces[i].iov_len = most;
			return i + 1;
		}
		most -= pieces[i].iov_len < most ? pieces[i].iov_len : most;
	}
	return count;
}

/* Writes up to `room` pieces, which `space` has room for. */
static enum io
channel_write(struct channel *channel, struct stream *sink, struct iovec *space, size_t room,
	int64_t now, size_t *put, struct fault *fault)
{
	bool messages = sink->caps.message_max > 0;
	size_t most = !messages ? SIZE_MAX : sink->caps.batch > 1 ? sink->caps.batch : 1;
	struct iovec *pieces = space;
	int count = channel->ops->lend(channel, &pieces, (int)(most < room ? most : room));
	if ((size_t)count > most)
		count = (int)most;
	if (channel->stages.count > 0)
		count = channel_cut(channel, pieces, count, messages || channel->framed != NULL);
	enum io result = stream_write(sink, pieces, count, put, fault);
	if (result != IO_OK)
		return result;
	size_t taken = messages ? *put : 0;
	if (messages)
		*put = stream_total(pieces, (int)taken);
	stage_passed(&channel->stages, pieces, count, *put, now);
	channel->ops->consume(channel, *put, taken);
	return IO_OK;
}

/* A function of its own: with -ftrivial-auto-var-init the large array is cleared at each call. */
static enum io
channel_write_many(
	struct channel *channel, struct stream *sink, int64_t now, size_t *put, struct fault *fault)
{
	struct iovec pieces[CHANNEL_PIECES];
	return channel_write(channel, sink, pieces, CHANNEL_PIECES, now, put, fault);
}

enum io
channel_drain(
	struct channel *channel, struct stream *sink, int64_t now, size_t *put, struct fault *fault)
{
	struct iovec pieces[CHANNEL_FEW];
	if (channel->ops->drain != NULL)
		return channel->ops->drain(channel, sink, now, put, fault);
	if (channel->lender != NULL && channel->lender->count > CHANNEL_FEW)
		return channel_write_many(channel, sink, now, put, fault);
	return channel_write(channel, sink, pieces, CHANNEL_FEW, now, put, fault);
}

void
channel_close(struct channel *channel)
{
	if (channel->ops != NULL && channel->ops->close != NULL)
		channel->ops->close(channel);
	stage_close(&channel->stages);
}
