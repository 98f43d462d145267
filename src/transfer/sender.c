/* Sending files; see sender.h. */
#include "transfer/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "sys/sys.h"
#include "transfer/blocks.h"
#include "transfer/exchange.h"
#include "transfer/file_name.h"

/* The most bytes of one message of data. A failure is reported behind it: the rest of it is filled
 * with zeros. */
#define SENDER_DATA_MAX ((uint64_t)4 * 1024 * 1024)

enum sender_state {
	SENDER_BEGINS,  /* the next file, when the receiver has greeted */
	SENDER_ASKS,    /* waits for "ready" */
	SENDER_PROVES,  /* reads what the receiver has, to compare it */
	SENDER_SENDS,   /* data */
	SENDER_AWAITS,  /* "stored" */
	SENDER_FINISHED /* all files */
};

struct sender {
	struct exchange exchange; /* the first field: it is the `impl` of the stream */
	struct sender_config config;
	enum sender_state state;
	size_t next;        /* index of the current file */
	int fd;             /* owned: the file; -1: none */
	struct stat status; /* of it when it was opened */
	uint64_t left;      /* bytes of it that are not in a message of data yet */
	uint64_t data;      /* bytes of the current message of data to send */
	uint64_t later;     /* bytes of the files after it */
	uint64_t made;      /* bytes that were read from the stream */
	uint64_t offset;    /* what the receiver has, while it is compared */
	uint64_t read;      /* bytes of that which were read */
	unsigned char proof[BLOCKS_DIGEST];
	struct blocks blocks;
	struct fault cause; /* reading has failed; reported when `data` is 0 */
};

static const char *
sender_path(const struct sender *sender)
{
	return sender->config.files[sender->next];
}

/* --- messages --- */

static bool
sender_open_file(struct sender *sender, struct fault *fault)
{
	const char *path = sender_path(sender);
	const char *refused = file_name_refuse(file_name_of(path), strlen(file_name_of(path)));
	if (refused != NULL)
		return fault_set(fault, STATUS_INPUT, 0, "send %s: %s", path, refused);
	sender->fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (sender->fd == -1 || fstat(sender->fd, &sender->status) == -1)
		return fault_set(fault, STATUS_INPUT, errno, "open %s", path);
	return S_ISREG(sender->status.st_mode) ||
		fault_set(fault, STATUS_INPUT, 0, "send %s: not a regular file", path);
}

/* Announces the next file. */
static void
sender_begin(struct sender *sender)
{
	struct fault fault = FAULT_NONE;
	if (!sender_open_file(sender, &fault)) {
		exchange_fail(&sender->exchange, &fault);
		return;
	}
	const struct stat *status = &sender->status;
	const char *name = file_name_of(sender_path(sender));
	sender->left = (uint64_t)status->st_size;
	sender->later -= sender->left < sender->later ? sender->left : sender->later;
	sender->data = 0;
	blocks_close(&sender->blocks);
	sender->state = SENDER_ASKS;
	exchange_put(&sender->exchange,
		&(struct protocol_message){
			.kind = PROTOCOL_FILE,
			.name = name,
			.name_length = strlen(name),
			.size = sender->left,
			.mode = status->st_mode & 0777,
			.dated = status->st_mtim.tv_sec >= 0,
			.mtime = (uint64_t)status->st_mtim.tv_sec,
			.nsec = (uint64_t)status->st_mtim.tv_nsec,
		});
}

/* The file is stored by the receiver. */
static void
sender_complete(struct sender *sender)
{
	event_emit(&(struct event){ .kind = EVENT_file_sent,
		.object = sender_path(sender),
		.sent = (uint64_t)sender->status.st_size,
		.detail = exchange_verified(&sender->exchange) });
	(void)sys_close(&sender->fd);
	sender->next++;
	sender->state = SENDER_BEGINS;
	if (sender->next < sender->config.count) {
		sender_begin(sender);
		return;
	}
	sender->state = SENDER_FINISHED;
	exchange_put(&sender->exchange,
		&(struct protocol_message){ .kind = PROTOCOL_END, .count = sender->next });
	exchange_end(&sender->exchange);
}

/* The receiver is ready for the data, or has the beginning of the file. False: it cannot. */
static bool
sender_take_ready(struct sender *sender, const struct protocol_message *message)
{
	uint64_t offset = message->offset;
	if (offset > 0 &&
		(!sender->exchange.digest || !message->has_digest || offset > sender->left ||
			(offset % BLOCKS_SIZE != 0 && offset < sender->left)))
		return false;
	sender->offset = offset;
	sender->read = 0;
	memcpy(sender->proof, message->digest, sizeof sender->proof);
	sender->state = offset > 0 ? SENDER_PROVES : SENDER_SENDS;
	sender->exchange.stream->read.at = STREAM_NOW;
	return true;
}

static bool
sender_take(struct exchange *exchange, const struct protocol_message *message)
{
	struct sender *sender = (struct sender *)exchange;
	if (message->kind == PROTOCOL_READY && sender->state == SENDER_ASKS)
		return sender_take_ready(sender, message);
	if (message->kind != PROTOCOL_STORED || sender->state != SENDER_AWAITS)
		return false;
	sender_complete(sender);
	return true;
}

static bool
sender_is_busy(const struct exchange *exchange)
{
	(void)exchange;
	return false;
}

static const struct exchange_ops sender_exchange = {
	.sends = true,
	.expects = "receive",
	.instead = "< FILE",
	.take = sender_take,
	.is_busy = sender_is_busy,
};

/* --- data --- */

/* Whether the file is as it was when it was opened. */
static bool
sender_is_unchanged(const struct sender *sender)
{
	struct stat now;
	const struct stat *then = &sender->status;
	return fstat(sender->fd, &now) == 0 && now.st_size == then->st_size &&
		now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
		now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

static void
sender_set_changed(struct sender *sender)
{
	(void)fault_set(&sender->cause, STATUS_INPUT, 0,
		"read %s: the file has changed while it was sent", sender_path(sender));
}

/* All data of the file is sent. */
static void
sender_finish(struct sender *sender)
{
	struct protocol_message finished = { .kind = PROTOCOL_FINISHED,
		.has_digest = sender->exchange.digest };
	struct fault fault = FAULT_NONE;
	sender->state = SENDER_AWAITS;
	if (finished.has_digest && !blocks_finish(&sender->blocks, finished.digest, &fault))
		exchange_fail(&sender->exchange, &fault);
	else
		exchange_put(&sender->exchange, &finished);
}

/* Between two messages of data: begins the next one, ends the data, or fails. */
static void
sender_continue(struct sender *sender)
{
	struct exchange *exchange = &sender->exchange;
	if (sender->left == 0 && !fault_is_set(&sender->cause) && !sender_is_unchanged(sender))
		sender_set_changed(sender);
	if (fault_is_set(&sender->cause)) {
		exchange_fail(exchange, &sender->cause);
		return;
	}
	if (sender->left == 0) {
		sender_finish(sender);
		return;
	}
	sender->data = sender->left < SENDER_DATA_MAX ? sender->left : SENDER_DATA_MAX;
	sender->left -= sender->data;
	exchange_put(exchange,
		&(struct protocol_message){ .kind = PROTOCOL_DATA, .size = sender->data });
}

/* Adds n bytes of the pieces to the digest. */
static void
sender_digest(struct sender *sender, const struct iovec *pieces, size_t n)
{
	for (int i = 0; n > 0; i++) {
		size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
		if (sender->exchange.digest)
			(void)blocks_add(&sender->blocks, pieces[i].iov_base, part, &sender->cause);
		n -= part;
	}
}

/* Reads up to `most` bytes from the file; zeros after a failure. */
static size_t
sender_fill(struct sender *sender, const struct iovec *pieces, int count, uint64_t most)
{
	struct iovec cut[2];
	int used = stream_cut(pieces, count, most < SIZE_MAX ? (size_t)most : SIZE_MAX, cut, 2);
	ssize_t n = fault_is_set(&sender->cause) ? 0 : sys_readv(sender->fd, cut, used);
	if (n > 0) {
		sender_digest(sender, cut, (size_t)n);
		return (size_t)n;
	}
	if (n == -1)
		(void)fault_set(
			&sender->cause, STATUS_INPUT, errno, "read %s", sender_path(sender));
	else
		sender_set_changed(sender);
	for (int i = 0; i < used; i++)
		memset(cut[i].iov_base, 0, cut[i].iov_len);
	return stream_total(cut, used);
}

/* One step of comparing what the receiver has; the bytes go no further than the pieces. */
static void
sender_prove(struct sender *sender, const struct iovec *pieces, int count)
{
	struct exchange *exchange = &sender->exchange;
	unsigned char own[BLOCKS_DIGEST];
	sender->read += sender_fill(sender, pieces, count, sender->offset - sender->read);
	exchange->stream->read.at = STREAM_NOW;
	if (sender->read < sender->offset && !fault_is_set(&sender->cause))
		return;
	bool good = !fault_is_set(&sender->cause) &&
		blocks_finish(&sender->blocks, own, &sender->cause);
	if (good && memcmp(own, sender->proof, sizeof own) != 0) {
		blocks_close(&sender->blocks);
		sender->offset = 0;
		good = lseek(sender->fd, 0, SEEK_SET) == 0 ||
			fault_set(&sender->cause, STATUS_INPUT, errno, "read %s",
				sender_path(sender));
	}
	if (!good) {
		exchange_fail(exchange, &sender->cause);
		return;
	}
	sender->left -= sender->offset;
	sender->state = SENDER_SENDS;
	exchange_put(exchange,
		&(struct protocol_message){ .kind = PROTOCOL_START, .offset = sender->offset });
	exchange_report_resumed(
		sender_path(sender), sender->offset, (uint64_t)sender->status.st_size);
}

static enum io
sender_produce(struct sender *sender, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct exchange *exchange = &sender->exchange;
	struct stream *stream = exchange->stream;
	enum io result = exchange_read(exchange, pieces, count, got, fault);
	if (result != IO_AGAIN || exchange->failed || !exchange->greeted)
		return result;
	if (sender->state == SENDER_SENDS && sender->data > 0) {
		*got = sender_fill(sender, pieces, count, sender->data);
		sender->data -= *got;
		stream->read.at = STREAM_NOW;
		return IO_OK;
	}
	if (sender->state == SENDER_SENDS)
		sender_continue(sender);
	else if (sender->state == SENDER_BEGINS)
		sender_begin(sender);
	else if (sender->state == SENDER_PROVES) {
		sender_prove(sender, pieces, count);
		if (sender->state == SENDER_PROVES && !exchange->failed)
			return IO_AGAIN;
	}
	return exchange_read(exchange, pieces, count, got, fault);
}

static enum io
sender_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct sender *sender = stream->impl;
	enum io result = sender_produce(sender, pieces, count, got, fault);
	if (result == IO_OK)
		sender->made += *got;
	/* With what the messages around the data have needed up to now. */
	stream->caps.size = sender->made + sender->left + sender->data + sender->later;
	return result;
}

static enum io
sender_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct sender *sender = stream->impl;
	return exchange_write(&sender->exchange, pieces, count, put, fault);
}

static enum io
sender_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct sender *sender = stream->impl;
	return exchange_shut(&sender->exchange, half_close, fault);
}

static void
sender_close(struct stream *stream, bool clean)
{
	struct sender *sender = stream->impl;
	(void)clean;
	(void)sys_close(&sender->fd);
	fault_clear(&sender->cause);
	blocks_close(&sender->blocks);
	exchange_close(&sender->exchange);
}

static const struct stream_ops sender_ops = {
	.open = exchange_start,
	.read = sender_read,
	.write = sender_write,
	.shut = sender_shut,
	.close = sender_close,
};

struct stream *
sender_new(const struct sender_config *config, const char *peer, int64_t now, struct fault *fault)
{
	struct stream *stream =
		stream_new(&sender_ops, strdup("--send"), sizeof(struct sender), fault);
	if (stream == NULL)
		return NULL;
	struct sender *sender = stream->impl;
	struct stat status;
	sender->config = *config;
	for (size_t i = 0; i < config->count; i++)
		if (stat(config->files[i], &status) == 0)
			sender->later += (uint64_t)status.st_size;
	sender->fd = -1;
	if (exchange_open(&sender->exchange, stream, &sender_exchange, peer, now, config->greeting,
		    false, fault))
		return stream;
	stream_close(stream, false);
	return NULL;
}
