/* Keeping what goes over a connection; see record.h. */
#include "stream/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "stream/layer.h"
#include "sys/sys.h"

#define RECORD_PAUSE (10 * CLOCK_MILLISECOND)

#define RECORD_SENT 0
#define RECORD_RECEIVED 1

struct recording {
	struct stream inner;
	struct record *record;
	uint64_t offsets[2];         /* bytes sent, received */
	int read_waits, write_waits; /* the file that the next one waits for; -1: none */
};

size_t
record_line(char line[static RECORD_LINE_MAX], const char *time, char direction, uint64_t offset,
	const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char hex[RECORD_LINE_BYTES * 3 + 2], text[RECORD_LINE_BYTES + 1];
	if (n > RECORD_LINE_BYTES)
		n = RECORD_LINE_BYTES;
	memset(hex, ' ', sizeof hex - 1);
	hex[sizeof hex - 1] = '\0';
	for (size_t i = 0; i < n; i++) {
		char *at = hex + i * 3 + (i >= RECORD_LINE_BYTES / 2);
		at[0] = digits[bytes[i] >> 4];
		at[1] = digits[bytes[i] & 15];
		text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '.';
	}
	text[n] = '\0';
	int length = snprintf(line, RECORD_LINE_MAX, "%.40s %c %08" PRIx64 "  %s |%s|\n", time,
		direction, offset, hex, text);
	return length < RECORD_LINE_MAX ? (size_t)length : RECORD_LINE_MAX - 1;
}

/* The file has failed: the first failure of the run is remembered, the data go on. */
static void
record_fail(struct record *record, struct record_file *file, int error)
{
	(void)fault_set(&record->fault, STATUS_OUTPUT, error, "write %s", file->path);
	(void)sys_close(&file->fd);
	file->used = 0;
}

/* Writes what the file takes now. */
static void
record_flush_file(struct record *record, struct record_file *file)
{
	size_t done = 0;
	while (file->fd != -1 && done < file->used) {
		struct iovec piece = { file->text + done, file->used - done };
		ssize_t n = sys_writev(file->fd, &piece, 1);
		if (n == -1 && sys_would_block(errno))
			break;
		if (n == -1) {
			record_fail(record, file, errno);
			return;
		}
		done += (size_t)n;
	}
	file->used -= done;
	if (file->used > 0)
		memmove(file->text, file->text + done, file->used);
}

/* The descriptor of a file that has not taken everything yet, -1 if there is none. */
static int
record_flush(struct record *record)
{
	record_flush_file(record, &record->hex_dump);
	record_flush_file(record, &record->output);
	return record->hex_dump.used > 0  ? record->hex_dump.fd
		: record->output.used > 0 ? record->output.fd
					  : -1;
}

static void
record_append(struct record *record, struct record_file *file, const void *bytes, size_t n)
{
	if (file->fd == -1 || n == 0)
		return;
	if (file->room - file->used < n) {
		size_t room = (file->used + n) * 2;
		char *longer = realloc(file->text, room);
		if (longer == NULL) {
			record_fail(record, file, ENOMEM);
			return;
		}
		file->text = longer;
		file->room = room;
	}
	memcpy(file->text + file->used, bytes, n);
	file->used += n;
}

static bool
record_open_file(struct record_file *file, const char *path, bool append, struct fault *fault)
{
	file->fd = -1;
	file->path = path;
	if (path == NULL)
		return true;
	/* Without waiting, also not for the reader of a FIFO. */
	int flags = O_WRONLY | O_NOCTTY | O_NONBLOCK;
	struct stat status;
	file->fd = sys_open(path, flags | O_CREAT | (append ? O_APPEND : O_EXCL));
	/* What is there already may be precious; a device, or a FIFO, is not. */
	bool exists = file->fd == -1 && errno == EEXIST && stat(path, &status) == 0;
	if (exists && S_ISREG(status.st_mode))
		return fault_set(fault, STATUS_OUTPUT, 0,
			"open %s: it exists (to write behind what it has: --append-output)", path);
	if (exists)
		file->fd = sys_open(path, flags);
	return file->fd != -1 || fault_set(fault, STATUS_OUTPUT, errno, "open %s", path);
}

bool
record_open(struct record *record, const struct record_config *config, struct fault *fault)
{
	*record = (struct record){ .hex_dump = { .fd = -1 }, .output = { .fd = -1 } };
	return record_open_file(&record->hex_dump, config->hex_dump, config->append, fault) &&
		record_open_file(&record->output, config->output, config->append, fault);
}

static void
record_close_file(struct record *record, struct record_file *file)
{
	if (file->fd != -1 && !sys_close(&file->fd))
		record_fail(record, file, errno);
	free(file->text);
	*file = (struct record_file){ .fd = -1 };
}

bool
record_report(struct record *record, struct fault *fault)
{
	bool good = !fault_is_set(&record->fault);
	if (!good && !fault_is_set(fault))
		fault_move(fault, &record->fault);
	fault_clear(&record->fault);
	return good;
}

bool
record_close(struct record *record, int64_t patience, struct fault *fault)
{
	int64_t ends = clock_after(clock_now(), patience);
	int waits = record_flush(record);
	size_t left_over = record->hex_dump.used + record->output.used;
	while (waits != -1) {
		struct pollfd look = { .fd = waits, .events = POLLOUT };
		int64_t left = ends - clock_now();
		if (left <= 0) {
			if (record->hex_dump.used > 0)
				record_fail(record, &record->hex_dump, ETIMEDOUT);
			if (record->output.used > 0)
				record_fail(record, &record->output, ETIMEDOUT);
			break;
		}
		(void)poll(&look, 1, (int)(left / CLOCK_MILLISECOND) + 1);
		waits = record_flush(record);
		if (record->hex_dump.used + record->output.used < left_over)
			ends = clock_after(clock_now(), patience);
		left_over = record->hex_dump.used + record->output.used;
	}
	record_close_file(record, &record->hex_dump);
	record_close_file(record, &record->output);
	return record_report(record, fault);
}

/* The time of day, in UTC and to the microsecond. */
static void
record_print_time(char *text, size_t size)
{
	struct timespec now = { 0, 0 };
	struct tm parts;
	char date[32];
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts) == NULL ||
		strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		date[0] = '\0';
	(void)snprintf(text, size, "%s.%06ldZ", date, now.tv_nsec / 1000);
}

static void
record_dump(struct recording *recording, int direction, const unsigned char *bytes, size_t n)
{
	char time[64], line[RECORD_LINE_MAX];
	record_print_time(time, sizeof time);
	/* A message of nothing is one line, too. */
	for (size_t done = 0; done < n || n == 0;) {
		size_t part = n - done < RECORD_LINE_BYTES ? n - done : RECORD_LINE_BYTES;
		size_t length = record_line(line, time, direction == RECORD_SENT ? '>' : '<',
			recording->offsets[direction] + done, bytes + done, part);
		record_append(recording->record, &recording->record->hex_dump, line, length);
		done += part;
		if (n == 0)
			break;
	}
}

/* Notes the first n bytes of the pieces. */
static void
record_note(
	struct recording *recording, int direction, const struct iovec *pieces, int count, size_t n)
{
	bool empty = n == 0;
	for (int i = 0; i < count && (n > 0 || empty); i++) {
		size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
		record_append(
			recording->record, &recording->record->output, pieces[i].iov_base, part);
		if (recording->record->hex_dump.fd != -1)
			record_dump(recording, direction, pieces[i].iov_base, part);
		recording->offsets[direction] += part;
		n -= part;
		empty = false;
	}
	(void)record_flush(recording->record);
}

/* Notes messages, one by one. */
static void
record_note_each(
	struct recording *recording, int direction, const struct iovec *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		record_note(recording, direction, &messages[i], 1, messages[i].iov_len);
}

static void
record_leave(struct stream *stream)
{
	const struct recording *recording = stream->impl;
	layer_leave(stream, &recording->inner);
	if (recording->read_waits != -1) {
		stream->rfd = recording->read_waits;
		stream->rwait = POLLOUT;
	}
	if (recording->write_waits != -1) {
		stream->wfd = recording->write_waits;
		stream->wwait = POLLOUT;
	}
}

static enum io
record_open_stream(struct stream *stream, struct fault *fault)
{
	(void)stream;
	(void)fault;
	return IO_OK;
}

static enum io
record_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct recording *recording = stream->impl;
	struct stream *inner = &recording->inner;
	enum io result = IO_AGAIN;
	layer_enter(stream, inner);
	recording->read_waits = record_flush(recording->record);
	if (recording->read_waits == -1) {
		result = inner->ops->read(inner, pieces, count, got, fault);
		if (result == IO_OK && inner->rmessages && inner->messages != NULL)
			record_note_each(
				recording, RECORD_RECEIVED, inner->messages, inner->message_count);
		else if (result == IO_OK && (*got > 0 || inner->rmessages))
			record_note(recording, RECORD_RECEIVED, pieces, count, *got);
	} else if (stream->last) {
		/* "Nothing now" would be the end. */
		inner->ragain = clock_after(clock_now(), RECORD_PAUSE);
	}
	record_leave(stream);
	return result;
}

static enum io
record_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct recording *recording = stream->impl;
	struct stream *inner = &recording->inner;
	enum io result = IO_AGAIN;
	*put = 0;
	layer_enter(stream, inner);
	recording->write_waits = count > 0 ? record_flush(recording->record) : -1;
	if (recording->write_waits == -1) {
		result = inner->ops->write(inner, pieces, count, put, fault);
		if (result == IO_OK && count > 1 && inner->wmessage_max > 0)
			record_note_each(recording, RECORD_SENT, pieces, inner->wtaken);
		else if (result == IO_OK && count > 0 && (*put > 0 || inner->wmessage_max > 0))
			record_note(recording, RECORD_SENT, pieces, count, *put);
	}
	record_leave(stream);
	return result;
}

static enum io
record_shut(struct stream *stream, struct fault *fault)
{
	struct recording *recording = stream->impl;
	layer_enter(stream, &recording->inner);
	enum io result = recording->inner.ops->shut(&recording->inner, fault);
	recording->write_waits = -1;
	record_leave(stream);
	return result;
}

static void
record_close_stream(struct stream *stream)
{
	struct recording *recording = stream->impl;
	layer_enter(stream, &recording->inner);
	recording->inner.ops->close(&recording->inner);
	free(recording);
}

static const struct stream_ops record_ops = {
	.open = record_open_stream,
	.read = record_read,
	.write = record_write,
	.shut = record_shut,
	.close = record_close_stream,
};

bool
record_init(struct stream *stream, struct record *record, struct fault *fault)
{
	if (record->hex_dump.fd == -1 && record->output.fd == -1)
		return true;
	struct recording *recording = calloc(1, sizeof *recording);
	if (recording == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "recording of %s", stream->name);
	recording->record = record;
	recording->read_waits = recording->write_waits = -1;
	layer_init(stream, &recording->inner, &record_ops, recording);
	return true;
}
