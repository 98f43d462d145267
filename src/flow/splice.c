/*
 * The channel that is a pipe in the kernel: splice(2) moves the bytes, which never pass through
 * this process. It is for streams of bytes whose descriptors the kernel can splice. A ring changes
 * to it when reads are large.
 *
 * It changes back when the kernel refuses (a terminal, a file opened with O_APPEND, some files of
 * /proc), when the source ends or fails, and when the flow is being drained. The bytes in the pipe
 * move to the ring, so that none is lost or duplicated, and the streams' own operations continue.
 */
#include "flow/channel.h"

#include <errno.h>

#include "base/event.h"
#include "sys/sys.h"

/* The size of the pipe, if the system allows it. */
#define SPLICE_SIZE ((size_t)1024 * 1024)

/* EAGAIN this often in a row with data to read: once may be data that has just arrived. */
#define SPLICE_STUCK 3

static bool
splice_has_room(const struct channel *channel)
{
	return !channel->full && channel->piped < SPLICE_SIZE;
}

static bool
splice_has_data(const struct channel *channel)
{
	return channel->piped > 0;
}

/* Whether the error means that the kernel cannot splice the stream's descriptor. Not a failure: the
 * stream's own operations can read or write it. */
static bool
splice_is_refused(const struct stream *stream, int error)
{
	if (error != EINVAL && error != ENOSYS && error != EOPNOTSUPP && error != EPERM)
		return false;
	event_emit(&(struct event){ .kind = EVENT_splice_refused, .peer = stream->name });
	return true;
}

static void
splice_close(struct channel *channel)
{
	(void)sys_close(&channel->pipe[0]);
	(void)sys_close(&channel->pipe[1]);
	channel->piped = 0;
}

/* Changes the channel to a ring with the content of the pipe. */
static bool
splice_leave(struct channel *channel, struct fault *fault)
{
	if (!channel_leave(channel, channel->piped, fault))
		return false;
	while (channel->piped > 0) {
		struct iovec space[2];
		int count = buf_space(&channel->buf, space);
		ssize_t n = sys_readv(channel->pipe[0], space, count);
		if (n <= 0)
			return fault_set(fault, STATUS_INTERNAL, n == 0 ? 0 : errno,
				"read back what was spliced");
		buf_added(&channel->buf, (size_t)n);
		channel->piped -= (size_t)n;
	}
	splice_close(channel);
	return true;
}

/* Whether splice(2) fails with EAGAIN although there is data: at an urgent byte, which it does not
 * splice. */
static bool
splice_is_stuck(struct channel *channel, const struct stream *source)
{
	size_t waiting = 0;
	bool there = sys_readable(source->read.splice, &waiting) && waiting > 0;
	channel->stuck = there ? channel->stuck + 1 : 0;
	return channel->stuck >= SPLICE_STUCK;
}

static enum io
splice_fill(struct channel *channel, struct stream *source, size_t *got, struct fault *fault)
{
	ssize_t n = -1;
	bool own = source->read.draining ||
		stream_is_ready(source); /* the source's own read decides */
	if (!own)
		n = sys_splice(source->read.splice, channel->pipe[1], SPLICE_SIZE - channel->piped);
	if (n > 0) {
		*got = (size_t)n;
		stream_note_read(source, *got);
		channel->brought = 1;
		channel->piped += *got;
		channel->stuck = 0;
		return IO_OK;
	}
	if (n == -1 && !own) {
		int error = errno;
		if (sys_would_block(error)) {
			/* It may be the pipe that has no room: a page for each piece, however short
			 * that is. */
			channel->full = channel->piped > 0;
			if (!channel->full)
				stream_note_read(source, 0);
			if (channel->full || !splice_is_stuck(channel, source))
				return IO_AGAIN;
			error = EINVAL;
		}
		/* The kernel reports an error once; the source's own read repeats it. */
		if (!splice_is_refused(source, error))
			source->read.error = error;
	}
	if (!splice_leave(channel, fault))
		return IO_FAIL;
	return channel->ops->fill(channel, source, got, fault);
}

static enum io
splice_drain(
	struct channel *channel, struct stream *sink, int64_t now, size_t *put, struct fault *fault)
{
	size_t most = stage_limit(&channel->stages, NULL, 0);
	ssize_t n = sys_splice(channel->pipe[0], sink->write.splice,
		most < channel->piped ? most : channel->piped);
	if (n > 0) {
		stage_passed(&channel->stages, NULL, 0, (size_t)n, now);
		*put = (size_t)n;
		channel->piped -= *put;
		channel->full = false;
		return IO_OK;
	}
	int error = n == 0 ? EINVAL : errno;
	if (sys_would_block(error))
		return IO_AGAIN;
	if (!splice_is_refused(sink, error)) {
		sink->write.error = error;
		return stream_write(sink, NULL, 0, put, fault);
	}
	if (!splice_leave(channel, fault))
		return IO_FAIL;
	return channel_drain(channel, sink, now, put, fault);
}

static const struct channel_ops splice_ops = {
	.name = "spliced in the kernel",
	.has_room = splice_has_room,
	.has_data = splice_has_data,
	.fill = splice_fill,
	.drain = splice_drain,
	.close = splice_close,
};

bool
splice_open(struct channel *channel, const struct stream *source)
{
	if (source->read.splice == -1 || channel->sink->write.splice == -1 ||
		!sys_pipe(channel->pipe))
		return false;
	sys_enlarge_pipe(channel->pipe[1], SPLICE_SIZE);
	channel->ops = &splice_ops;
	return true;
}
