/* Common parts of all kinds of streams; see stream.h. */
#include "stream/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

void
stream_init(struct stream *stream, const struct stream_ops *ops, char *name, void *impl)
{
	*stream = (struct stream){
		.ops = ops,
		.name = name,
		.read = { .fd = -1, .events = POLLIN, .splice = -1 },
		.write = { .fd = -1, .events = POLLOUT, .splice = -1 },
		.hangup = { .fd = -1, .splice = -1 },
		.impl = impl,
	};
}

struct stream *
stream_new(const struct stream_ops *ops, char *name, size_t size, struct fault *fault)
{
	struct stream *stream = malloc(sizeof *stream);
	void *impl = size > 0 ? calloc(1, size) : NULL;
	if (stream == NULL || name == NULL || (impl == NULL && size > 0)) {
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "open %s",
			name != NULL ? name : "connection");
		free(stream);
		free(name);
		free(impl);
		return NULL;
	}
	stream_init(stream, ops, name, impl);
	return stream;
}

void
stream_close(struct stream *stream, bool clean)
{
	while (stream != NULL) {
		struct stream *lower = stream->lower;
		if (stream->ops->close != NULL)
			stream->ops->close(stream, clean);
		free(stream->name);
		free(stream->impl);
		free(stream);
		stream = lower;
	}
}

enum io
stream_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	if (stream->opened)
		return IO_OK;
	enum io result = IO_OK;
	if (stream->lower != NULL && !stream->lower->opened) {
		result = stream_open(stream->lower, pollset, now, fault);
		if (result != IO_OK)
			return result;
		stream_follow(stream);
	}
	stream->read.at = 0;
	if (stream->ops->open != NULL)
		result = stream->ops->open(stream, pollset, now, fault);
	stream->opened = result == IO_OK;
	return result;
}

void
stream_ask_open(const struct stream *stream, struct pollset *pollset)
{
	while (stream->lower != NULL && !stream->lower->opened)
		stream = stream->lower;
	if (stream->ops->ask != NULL)
		stream->ops->ask(stream, pollset);
	else
		(void)stream_ask(&stream->read, pollset);
}

enum io
stream_settle(struct stream **stream, struct fault *fault)
{
	for (; *stream != NULL; *stream = (*stream)->lower) {
		(*stream)->write.at = 0;
		enum io result = (*stream)->ops->settle == NULL
			? IO_OK
			: (*stream)->ops->settle(*stream, fault);
		if (result != IO_OK)
			return result;
	}
	return IO_OK;
}

bool
stream_take_verdict(const struct stream *stream, struct fault *fault)
{
	struct fault *verdict = stream_stats(stream)->verdict;
	if (verdict == NULL || !fault_is_set(verdict))
		return false;
	fault_move(fault, verdict);
	return true;
}

void
stream_follow(struct stream *stream)
{
	const struct stream *lower = stream->lower;
	stream->caps = lower->caps;
	stream->read = lower->read;
	stream->write = lower->write;
	stream->hangup = lower->hangup;
	stream->loan = lower->loan;
	stream->buffered = lower->buffered;
	stream->mid_message = lower->mid_message;
	stream->read.splice = stream->write.splice = -1;
}

void
stream_drain(struct stream *stream)
{
	for (; stream != NULL; stream = stream->lower)
		stream->read.draining = true;
}

void
stream_watch(struct stream *stream)
{
	while (stream->lower != NULL)
		stream = stream->lower;
	if (stream->ops->watch != NULL)
		stream->ops->watch(stream);
}

size_t
stream_ask(const struct stream_side *side, struct pollset *pollset)
{
	if (side->at == 0)
		return side->events != 0 ? pollset_ask(pollset, side->fd, side->events)
					 : pollset_watch(pollset, side->fd);
	pollset_until(pollset, side->at);
	return POLLSET_NONE;
}

bool
stream_has_space(struct stream *stream, int fd, size_t space)
{
	size_t length;
	stream->loan.needs = 0;
	if (!sys_next_length(fd, &length))
		return errno == EOPNOTSUPP;
	if (length <= space)
		return true;
	stream->loan.needs = length;
	errno = EAGAIN;
	return false;
}

size_t
stream_total(const struct iovec *pieces, int count)
{
	size_t total = 0;
	for (int i = 0; i < count; i++)
		total += pieces[i].iov_len;
	return total;
}

int
stream_cut(const struct iovec *pieces, int count, size_t max, struct iovec *cut, int room)
{
	int used = 0;
	for (; used < count && used < room && max > 0; used++) {
		cut[used] = pieces[used];
		if (cut[used].iov_len > max)
			cut[used].iov_len = max;
		max -= cut[used].iov_len;
	}
	return used;
}

size_t
stream_copy(const struct iovec *pieces, int count, const void *bytes, size_t n)
{
	size_t done = 0;
	for (int i = 0; i < count && done < n; i++) {
		size_t part = n - done < pieces[i].iov_len ? n - done : pieces[i].iov_len;
		memcpy(pieces[i].iov_base, (const unsigned char *)bytes + done, part);
		done += part;
	}
	return done;
}
