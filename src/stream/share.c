/* Standard input and output for many; see share.h. */
#include "stream/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/member.h"
#include "sys/sys.h"

/* As many as a writev takes. */
#define SHARE_PIECES 1024

struct share_end {
	struct share *share;  /* not owned */
	struct post_box *box; /* not owned */
	int file;             /* owned: standard input, opened anew; -1: it is not */
	off_t at;             /* the offset in it */
};

bool
share_open(struct share *share, const struct stdio_config *config, bool input, size_t most,
	struct fault *fault)
{
	struct stat status;
	share->watch = -1;
	if (!stdio_init(&share->stdio, config, fault) ||
		share->stdio.ops->open(&share->stdio, fault) != IO_OK)
		return false;
	share->file = input && fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
	/* A descriptor of its own: the one that is written to belongs to whoever writes. */
	if (share->stdio.watch)
		share->watch = fcntl(share->stdio.wfd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return member_init_speaker(&share->speaker, &share->post, &share->podium, most, fault);
}

bool
share_finish(struct share *share, struct fault *fault)
{
	return share->stdio.ops->shut(&share->stdio, fault) != IO_FAIL;
}

void
share_close(struct share *share)
{
	stream_close(&share->speaker);
	stream_close(&share->stdio);
	(void)sys_close(&share->watch);
}

/* From its beginning: the offset that others share stays where it is. Where that file cannot be
 * opened once more, as without a descriptor to spare, it is read by position. */
static enum io
share_open_end(struct stream *stream, struct fault *fault)
{
	struct share_end *end = stream->impl;
	(void)fault;
	if (!end->share->file)
		return IO_OK;
	end->file = sys_reopen(STDIN_FILENO, O_RDONLY);
	stream->rfd = stream->splice_from = end->file;
	stream->pending = end->file == -1;
	return IO_OK;
}

/* A plain file; what is said to all is taken from the box (flow/fanout.h). */
static enum io
share_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct share_end *end = stream->impl;
	ssize_t n = -1;
	if (stream->read_error != 0)
		errno = stream->read_error;
	else if (end->file != -1)
		n = sys_readv(end->file, pieces, count);
	else
		n = sys_read_at(STDIN_FILENO, &pieces[0], end->at);
	if (n == -1) {
		(void)fault_set(fault, STATUS_INPUT, errno, "read standard input");
		return IO_FAIL;
	}
	*got = (size_t)n;
	end->at += n;
	return n == 0 ? IO_END : IO_OK;
}

static void
share_release(struct share *share, struct post_box *box)
{
	if (share->writer != box)
		return;
	share->writer = NULL;
	box->stream->wfd = -1;
	post_unblock(&share->post);
}

/* The first of the pieces that are `most` bytes together; how many they are. */
static int
share_cut(const struct iovec *pieces, int count, size_t most, struct iovec *cut)
{
	int used = 0;
	for (; used < count && used < SHARE_PIECES && most > 0; used++) {
		cut[used] = pieces[used];
		if (cut[used].iov_len > most)
			cut[used].iov_len = most;
		most -= cut[used].iov_len;
	}
	return used;
}

/* A piece is what there is when it is its turn; what comes to it later is the next one. */
static enum io
share_write_piece(struct share *share, struct post_box *box, const struct iovec *pieces, int count,
	size_t *put, struct fault *fault)
{
	struct stream *stdio = &share->stdio;
	struct iovec cut[SHARE_PIECES];
	bool begun = share->writer == box;
	size_t left = begun ? share->left : stream_total(pieces, count);
	if (begun && stdio->wmessage_max == 0) {
		count = share_cut(pieces, count, left, cut);
		pieces = cut;
	}
	enum io result = stdio->ops->write(stdio, pieces, count, put, fault);
	box->stream->kept = stdio->kept;
	share->left = left - *put;
	box->stream->begun = share->left > 0 && (box->stream->begun || *put > 0);
	if (result != IO_FAIL && (result == IO_AGAIN || stdio->kept || share->left > 0)) {
		share->writer = box;
		box->stream->wfd = stdio->wfd;
	} else {
		share_release(share, box);
		/* What there is more has its turn without a descriptor, behind the others. */
		box->stream->wagain = 1;
	}
	return result;
}

static enum io
share_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct share_end *end = stream->impl;
	struct share *share = end->share;
	*put = 0;
	if (share->writer != NULL && share->writer != end->box) {
		post_block(end->box);
		return IO_AGAIN;
	}
	/* Whether there still is a reader is watched once for all. */
	if (count == 0 && !share->stdio.kept)
		return IO_OK;
	return share_write_piece(share, end->box, pieces, count, put, fault);
}

static enum io
share_shut(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

static void
share_close_end(struct stream *stream)
{
	struct share_end *end = stream->impl;
	share_release(end->share, end->box);
	post_leave(end->box);
	(void)sys_close(&end->file);
	free(end);
}

static const struct stream_ops share_ops = {
	.open = share_open_end,
	.read = share_read,
	.write = share_write,
	.shut = share_shut,
	.close = share_close_end,
};

bool
share_init(struct stream *stream, struct share *share, struct post_box *box, struct fault *fault)
{
	struct share_end *end = malloc(sizeof *end);
	char *name = strdup(share->stdio.name);
	if (end == NULL || name == NULL) {
		free(end);
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "standard input and output");
	}
	*end = (struct share_end){ share, box, -1, 0 };
	stream_init(stream, &share_ops, name, end);
	stream->from = share->stdio.from;
	stream->wmessage_max = share->stdio.wmessage_max;
	post_join(&share->post, box, stream, share->file);
	if (!share->file)
		stream->box = box;
	return true;
}
