/* A file that takes what a session receives; see file.h. */
#include "filter/file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "filter/filter.h"
#include "stream/partial.h"
#include "sys/sys.h"

struct file {
	char *path;                       /* owned */
	const struct file_config *config; /* not owned */
	bool committed;                   /* the file has its name */
	struct partial partial;
};

/* Takes over what the lower stream has for reading; it is read without a change. */
static void
file_follow(struct stream *stream)
{
	const struct stream_side write = stream->write;
	stream_follow(stream);
	stream->read.splice = stream->lower->read.splice;
	stream->write = write;
	stream->hangup.fd = -1;
	stream->caps.message_max = stream->caps.batch = 0;
	stream->caps.taken = NULL;
	stream->buffered = stream->mid_message = false;
}

/* Continues the part of an earlier run. */
static bool
file_resume(struct file *file, struct fault *fault)
{
	struct partial *partial = &file->partial;
	if (!file->config->resume)
		return true;
	if (partial->size != file->config->offset)
		return fault_set(fault, STATUS_OUTPUT, 0,
			"open %s: it has changed since this run began", partial->part_path);
	return partial_remove_digests(partial, fault) &&
		(lseek(partial->fd, (off_t)partial->size, SEEK_SET) != -1 ||
			fault_set(fault, STATUS_OUTPUT, errno, "open %s", partial->part_path));
}

static enum io
file_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct file *file = stream->impl;
	(void)pollset, (void)now;
	if (!partial_check(NULL, file->path, file->config->replace, NULL, fault) ||
		!partial_open(&file->partial, NULL, file->path, file->config->resume, fault) ||
		!file_resume(file, fault))
		return IO_FAIL;
	stream->write = (struct stream_side){
		.fd = file->partial.fd, .events = POLLOUT, .splice = file->partial.fd
	};
	file_follow(stream);
	return IO_OK;
}

static enum io
file_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	/* Of splice(2), which knows this stream only. */
	if (stream->read.error != 0)
		stream->lower->read.error = stream->read.error;
	enum io result = stream_read(stream->lower, pieces, count, got, fault);
	file_follow(stream);
	return result;
}

static enum io
file_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	const struct file *file = stream->impl;
	*put = 0;
	ssize_t n = 0;
	int error = stream->write.error;
	if (error == 0 && stream_total(pieces, count) > 0)
		n = sys_writev(file->partial.fd, pieces, count);
	if (error == 0 && n == -1)
		error = errno;
	if (error != 0)
		return IO_FAULT(fault, STATUS_OUTPUT, error, "write %s", file->path);
	*put = (size_t)n;
	return IO_OK;
}

static enum io
file_settle(struct stream *stream, struct fault *fault)
{
	struct file *file = stream->impl;
	struct partial_result result = {
		.replace = file->config->replace, .sync = true, .algorithm = file->config->algorithm
	};
	memcpy(result.wanted, file->config->wanted, sizeof result.wanted);
	enum io done = partial_commit(&file->partial, &result, fault);
	stream->write =
		(struct stream_side){ .fd = file->partial.done_fd, .events = POLLIN, .splice = -1 };
	file->committed = done == IO_OK;
	return done;
}

/* Tells where the data is that the session has received. */
static void
file_report_part(struct file *file)
{
	struct stat status;
	if (!partial_abandon(&file->partial) || file->committed ||
		file->partial.part_path == NULL || stat(file->partial.part_path, &status) == -1 ||
		status.st_size == 0)
		return;
	event_emit(&(struct event){ .kind = EVENT_part_kept,
		.object = file->path,
		.detail = file->partial.part_path,
		.count = (uint64_t)status.st_size });
}

static void
file_close(struct stream *stream, bool clean)
{
	struct file *file = stream->impl;
	(void)clean;
	file_report_part(file);
	partial_close(&file->partial);
	free(file->path);
}

static const struct stream_ops file_ops = {
	.open = file_open,
	.read = file_read,
	.write = file_write,
	.settle = file_settle,
	.close = file_close,
};

bool
file_add(struct stream **top, char *path, const struct file_config *config, struct fault *fault)
{
	struct stream *stream =
		path != NULL ? filter_add(top, &file_ops, sizeof(struct file), fault) : NULL;
	if (stream == NULL) {
		free(path);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "open the output file");
	}
	*(struct file *)stream->impl = (struct file){ .path = path, .config = config };
	return true;
}
