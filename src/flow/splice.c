/* A pipe in the kernel; see splice.h. */
#include "flow/splice.h"

#include <errno.h>

#include "base/log.h"
#include "sys/sys.h"

/* What the pipe may hold, if the system allows it: as much as a large write. */
#define SPLICE_SIZE ((size_t)1024 * 1024)

/* Once is chance: it may have come just then. */
#define SPLICE_STUCK 3

static bool
splice_has_room(const struct carrier *carrier)
{
	return !carrier->full && carrier->piped < SPLICE_SIZE;
}

static bool
splice_has_data(const struct carrier *carrier)
{
	return carrier->piped > 0;
}

bool
splice_is_refused(int error)
{
	return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

static size_t
splice_drop(struct carrier *carrier)
{
	size_t dropped = carrier->piped;
	/* The pipe is emptied with its close. */
	carrier->piped = 0;
	return dropped;
}

static void
splice_close(struct carrier *carrier)
{
	(void)sys_close(&carrier->pipe[0]);
	(void)sys_close(&carrier->pipe[1]);
	carrier->piped = 0;
}

/* Makes the carrier a ring, which has what the pipe held. */
static bool
splice_leave(struct carrier *carrier, struct fault *fault)
{
	if (!carrier_leave(carrier, carrier->piped, fault))
		return false;
	while (carrier->piped > 0) {
		struct iovec space[2];
		int count = buf_space(&carrier->buf, space);
		ssize_t n = sys_readv(carrier->pipe[0], space, count);
		if (n <= 0)
			return fault_set(fault, STATUS_INTERNAL, n == 0 ? 0 : errno,
				"read back what was spliced");
		buf_added(&carrier->buf, (size_t)n);
		carrier->piped -= (size_t)n;
	}
	splice_close(carrier);
	return true;
}

void
splice_report_refusal(const struct stream *stream)
{
	log_line(LOG_DEBUG, "%s: the kernel does not splice it; it is read and written instead",
		stream->name);
}

/* There is something to read, time and again, and yet the kernel says there is not: an urgent byte,
 * which it does not splice. */
static bool
splice_is_stuck(struct carrier *carrier, const struct stream *source)
{
	size_t waiting = 0;
	bool there = sys_readable(source->splice_from, &waiting) && waiting > 0;
	carrier->stuck = there ? carrier->stuck + 1 : 0;
	return carrier->stuck >= SPLICE_STUCK;
}

static enum io
splice_fill(struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	ssize_t n = -1;
	bool own = source->last || stream_has_news(source); /* the source's own read decides */
	if (!own)
		n = sys_splice(source->splice_from, carrier->pipe[1], SPLICE_SIZE - carrier->piped);
	if (n > 0) {
		*got = (size_t)n;
		bulk_note(&source->bulk, *got);
		carrier->brought = 1;
		carrier->piped += *got;
		carrier->stuck = 0;
		return IO_OK;
	}
	if (n == -1 && !own) {
		int error = errno;
		if (sys_would_block(error)) {
			/* With something in it, it may be the pipe that takes no more: it has only
			 * so many places, however little is in each. */
			carrier->full = carrier->piped > 0;
			if (!carrier->full)
				bulk_note(&source->bulk, 0);
			if (carrier->full || !splice_is_stuck(carrier, source))
				return IO_AGAIN;
			error = EINVAL;
		}
		/* The kernel says it once; the source's own read repeats it. */
		if (!splice_is_refused(error))
			source->read_error = error;
		else
			splice_report_refusal(source);
	}
	if (!splice_leave(carrier, fault))
		return IO_FAIL;
	return carrier->ops->fill(carrier, source, got, fault);
}

static enum io
splice_drain(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	ssize_t n = sys_splice(carrier->pipe[0], sink->splice_to, carrier->piped);
	if (n > 0) {
		*put = (size_t)n;
		carrier->piped -= *put;
		carrier->full = false;
		return IO_OK;
	}
	if (n == -1 && sys_would_block(errno))
		return IO_AGAIN;
	if (n == -1 && !splice_is_refused(errno)) {
		sink->write_error = errno;
		return sink->ops->write(sink, NULL, 0, put, fault);
	}
	splice_report_refusal(sink);
	if (!splice_leave(carrier, fault))
		return IO_FAIL;
	return carrier->ops->drain(carrier, sink, put, fault);
}

static const struct carrier_ops splice_ops = {
	.name = "splice",
	.has_room = splice_has_room,
	.has_data = splice_has_data,
	.fill = splice_fill,
	.drain = splice_drain,
	.drop = splice_drop,
	.close = splice_close,
};

bool
splice_open(struct carrier *carrier, const struct stream *source)
{
	if (source->splice_from == -1 || carrier->sink->splice_to == -1 || !sys_pipe(carrier->pipe))
		return false;
	sys_enlarge_pipe(carrier->pipe[1], SPLICE_SIZE);
	carrier->ops = &splice_ops;
	return true;
}
