/* Standard input and output of many clients; see stdio_mux.h. */
#include "broadcast/stdio_mux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "broadcast/subscriber.h"
#include "sys/sys.h"

/* Pieces of one writev(2). */
#define STDIO_MUX_PIECES 1024

struct stdio_mux_end {
	struct stdio_mux *mux;   /* not owned */
	struct bus_queue *queue; /* not owned */
	int file;                /* owned: the reopened standard input; -1: read by offset */
	off_t at;                /* the offset in the file */
	struct text text;        /* the state of escaping for a terminal */
};

bool
stdio_mux_open(struct stdio_mux *mux, const struct stdio_config *config, bool input, size_t max,
	struct fault *fault)
{
	struct stat status;
	mux->watch = -1;
	mux->stdio = stdio_new(config, fault);
	if (mux->stdio == NULL || stream_open(mux->stdio, NULL, clock_now(), fault) != IO_OK)
		return false;
	mux->file = input && fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
	mux->start = mux->file ? lseek(STDIN_FILENO, 0, SEEK_CUR) : 0;
	/* Duplicate it: the descriptor that is written to belongs to the current writer. */
	if (mux->stdio->hangup.fd != -1)
		mux->watch = fcntl(mux->stdio->hangup.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	mux->publisher = subscriber_new(&mux->bus, &mux->publisher_queue, max, true, fault);
	return mux->publisher != NULL;
}

bool
stdio_mux_finish(struct stdio_mux *mux, struct fault *fault)
{
	return stream_shut(mux->stdio, true, fault) != IO_FAIL;
}

void
stdio_mux_close(struct stdio_mux *mux)
{
	stream_close(mux->publisher, true);
	stream_close(mux->stdio, true);
	(void)sys_close(&mux->watch);
}

/* Opens the file again, so that each client has its own offset. If that fails, for example because
 * descriptors have run out, it is read with pread(2). */
static enum io
stdio_mux_open_end(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct stdio_mux_end *end = stream->impl;
	(void)pollset, (void)now, (void)fault;
	if (!end->mux->file)
		return IO_OK;
	end->at = end->mux->start;
	end->file = sys_reopen(STDIN_FILENO, O_RDONLY);
	if (end->file != -1 && lseek(end->file, end->at, SEEK_SET) != end->at)
		(void)sys_close(&end->file);
	stream->read.fd = stream->read.splice = end->file;
	stream->ready = end->file == -1;
	return IO_OK;
}

/* For a regular file; otherwise the queue lends (stream/lender.h). */
static enum io
stdio_mux_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct stdio_mux_end *end = stream->impl;
	ssize_t n = -1;
	if (stream->read.error != 0)
		errno = stream->read.error;
	else if (end->file != -1)
		n = sys_readv(end->file, pieces, count);
	else
		n = sys_read_at(STDIN_FILENO, &pieces[0], end->at);
	if (n == -1)
		return IO_FAULT(fault, STATUS_INPUT, errno, "read standard input");
	*got = (size_t)n;
	end->at += n;
	return n == 0 ? IO_END : IO_OK;
}

static void
stdio_mux_release(struct stdio_mux *mux, struct bus_queue *queue)
{
	if (mux->writer != queue)
		return;
	mux->writer = NULL;
	queue->stream->write.fd = -1;
	bus_unblock(&mux->bus);
}

/* A piece is the data available at its first write; data that arrives later is the next piece. */
static enum io
stdio_mux_write_piece(struct stdio_mux_end *end, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct stdio_mux *mux = end->mux;
	struct bus_queue *queue = end->queue;
	struct stream *stdio = mux->stdio;
	bool started = mux->writer == queue;
	size_t left = started ? mux->left : stream_total(pieces, count);
	enum io result;
	stdio_set_text(stdio, &end->text);
	if (started && stdio->caps.message_max == 0) {
		/* Declared here, since hardening flags clear its 16 KiB at each call. */
		struct iovec cut[STDIO_MUX_PIECES];
		count = stream_cut(pieces, count, left, cut, STDIO_MUX_PIECES);
		result = stream_write(stdio, cut, count, put, fault);
	} else {
		result = stream_write(stdio, pieces, count, put, fault);
	}
	mux->taken += *put > 0;
	queue->stream->buffered = stdio->buffered;
	/* Of messages it takes one at a time. */
	mux->left = left - (stdio->caps.message_max > 0 ? *put * left : *put);
	queue->stream->mid_message = mux->left > 0 && (queue->stream->mid_message || *put > 0);
	if (result != IO_FAIL && (result == IO_AGAIN || stdio->buffered || mux->left > 0)) {
		mux->writer = queue;
		queue->stream->write.fd = stdio->write.fd;
	} else {
		stdio_mux_release(mux, queue);
		/* The rest is the next piece, after those of other clients. */
		queue->stream->write.at = STREAM_NOW;
	}
	return result;
}

static enum io
stdio_mux_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct stdio_mux_end *end = stream->impl;
	struct stdio_mux *mux = end->mux;
	*put = 0;
	if (mux->writer != NULL && mux->writer != end->queue) {
		bus_block(end->queue);
		return IO_AGAIN;
	}
	/* The mux watches the reader for all clients. */
	if (count == 0 && !mux->stdio->buffered)
		return IO_OK;
	return stdio_mux_write_piece(end, pieces, count, put, fault);
}

/* Escapes the bytes of an incomplete character, before another client writes. */
static enum io
stdio_mux_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct stdio_mux_end *end = stream->impl;
	struct stdio_mux *mux = end->mux;
	(void)half_close;
	if (!text_holds(&end->text) && mux->writer != end->queue)
		return IO_OK;
	if (mux->writer != NULL && mux->writer != end->queue) {
		bus_block(end->queue);
		return IO_AGAIN;
	}
	stdio_set_text(mux->stdio, &end->text);
	enum io result = stdio_end_text(mux->stdio, fault);
	if (result == IO_AGAIN) {
		mux->writer = end->queue;
		stream->write.fd = mux->stdio->write.fd;
	} else {
		stdio_mux_release(mux, end->queue);
	}
	return result;
}

static void
stdio_mux_close_end(struct stream *stream, bool clean)
{
	struct stdio_mux_end *end = stream->impl;
	(void)clean;
	stdio_set_text(end->mux->stdio, NULL);
	stdio_mux_release(end->mux, end->queue);
	bus_leave(end->queue);
	(void)sys_close(&end->file);
}

static const struct stream_ops stdio_mux_ops = {
	.open = stdio_mux_open_end,
	.read = stdio_mux_read,
	.write = stdio_mux_write,
	.shut = stdio_mux_shut,
	.close = stdio_mux_close_end,
};

struct stream *
stdio_mux_new(struct stdio_mux *mux, struct bus_queue *queue, struct fault *fault)
{
	struct stream *stream = stream_new(
		&stdio_mux_ops, strdup(mux->stdio->name), sizeof(struct stdio_mux_end), fault);
	if (stream == NULL)
		return NULL;
	*(struct stdio_mux_end *)stream->impl = (struct stdio_mux_end){
		.mux = mux, .queue = queue, .file = -1, .text = { .lines = true }
	};
	stream->loan.from = mux->stdio->loan.from;
	stream->caps.taken = &mux->taken;
	stream->caps.message_max = mux->stdio->caps.message_max;
	bus_join(&mux->bus, queue, stream, mux->file);
	return stream;
}
