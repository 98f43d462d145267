/* Sending files; see sender.h. */
#include "transfer/sender.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "sys/sys.h"
#include "transfer/blocks.h"
#include "transfer/exchange.h"
#include "transfer/file_name.h"
#include "transfer/outgoing.h"
#include "transfer/package.h"

/* The most bytes of one message of data. A failure is reported behind it: the rest of it is filled
 * with zeros. */
#define SENDER_DATA_MAX ((uint64_t)4 * 1024 * 1024)

enum sender_state {
	SENDER_BEGINS,   /* the next file, when the receiver has greeted */
	SENDER_ASKS,     /* waits for "ready" */
	SENDER_COMPARES, /* reads what the receiver has, to compare it */
	SENDER_SENDS,    /* data */
	SENDER_PACKS,    /* data of a directory */
	SENDER_AWAITS,   /* "stored" */
	SENDER_FINISHED  /* all files */
};

struct sender {
	struct exchange exchange; /* the first field: it is the `impl` of the stream */
	struct sender_config config;
	enum sender_state state;
	size_t first, next; /* indexes: of the first file of this connection, and the current one */
	struct outgoing file;
	struct package package;
	bool unknown;    /* the bytes of directories are not known before */
	uint64_t size;   /* bytes of the file, or of the archive so far */
	uint64_t left;   /* bytes of it that are not in a message of data yet */
	uint64_t data;   /* bytes of the current message of data to send */
	uint64_t later;  /* bytes of the files after it */
	uint64_t made;   /* bytes that were read from the stream */
	uint64_t offset; /* what the receiver has, while it is compared */
	uint64_t read;   /* bytes of that which were read */
	/* The receiver's digest of that. */
	unsigned char wanted[BLOCKS_DIGEST];
};

static const char *
sender_path(const struct sender *sender)
{
	return sender->config.files[sender->next];
}

/* --- messages --- */

/* Announces the next file. */
static void
sender_begin(struct sender *sender)
{
	struct fault fault = FAULT_NONE;
	const char *path = sender_path(sender), *name = file_name_of(path);
	const struct stat *status = &sender->file.status;
	if (!outgoing_open(&sender->file, path, sender->exchange.digest, &fault)) {
		exchange_fail(&sender->exchange, &fault);
		return;
	}
	bool tree = S_ISDIR(status->st_mode);
	sender->left = sender->size = tree ? 0 : (uint64_t)status->st_size;
	sender->later -= sender->left < sender->later ? sender->left : sender->later;
	sender->data = 0;
	sender->state = SENDER_ASKS;
	exchange_put(&sender->exchange,
		&(struct protocol_message){
			.kind = tree ? PROTOCOL_TREE : PROTOCOL_FILE,
			.name = name,
			.name_length = strlen(name),
			.size = sender->left,
			.mode = status->st_mode & 0777,
			.dated = !tree && status->st_mtim.tv_sec >= 0,
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
		.sent = sender->size,
		.detail = exchange_verified(&sender->exchange) });
	struct fault fault = FAULT_NONE;
	outgoing_close(&sender->file);
	package_close(&sender->package);
	sender->next++;
	/* Another connection would not know that files were left out. */
	if (sender->config.stored != NULL && sender->package.left_out == 0)
		*sender->config.stored = sender->next;
	sender->state = SENDER_BEGINS;
	if (sender->next < sender->config.count) {
		sender_begin(sender);
		return;
	}
	sender->state = SENDER_FINISHED;
	if (!package_check(&sender->package, &fault)) {
		exchange_fail(&sender->exchange, &fault);
		return;
	}
	exchange_put(&sender->exchange,
		&(struct protocol_message){
			.kind = PROTOCOL_END, .count = sender->next - sender->first });
	exchange_end(&sender->exchange);
}

/* The receiver is ready for a directory. */
static void
sender_open_package(struct sender *sender)
{
	struct fault fault = FAULT_NONE;
	struct stream *stream = sender->exchange.stream;
	sender->state = SENDER_PACKS;
	stream->read.at = STREAM_NOW;
	if (!package_open(&sender->package, sender->config.tree_options, sender_path(sender),
		    &sender->file.fd, &stream->ready, &fault))
		exchange_fail(&sender->exchange, &fault);
}

/* The receiver is ready for the data, or has the beginning of the file. False: it cannot. */
static bool
sender_take_ready(struct sender *sender, const struct protocol_message *message)
{
	uint64_t offset = message->offset;
	if (offset == 0 && S_ISDIR(sender->file.status.st_mode)) {
		sender_open_package(sender);
		return true;
	}
	if (offset > 0 &&
		(!sender->exchange.digest || !message->has_digest || offset > sender->left ||
			(offset % BLOCKS_SIZE != 0 && offset < sender->left)))
		return false;
	sender->offset = offset;
	sender->read = 0;
	memcpy(sender->wanted, message->digest, sizeof sender->wanted);
	sender->state = offset > 0 ? SENDER_COMPARES : SENDER_SENDS;
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

/* All data of the file is sent. */
static void
sender_finish(struct sender *sender)
{
	struct protocol_message finished = { .kind = PROTOCOL_FINISHED,
		.has_digest = sender->exchange.digest };
	struct fault fault = FAULT_NONE;
	sender->state = SENDER_AWAITS;
	if (finished.has_digest && !blocks_finish(&sender->file.blocks, finished.digest, &fault))
		exchange_fail(&sender->exchange, &fault);
	else
		exchange_put(&sender->exchange, &finished);
}

/* Between two messages of data: begins the next one, ends the data, or fails. */
static void
sender_continue(struct sender *sender)
{
	struct exchange *exchange = &sender->exchange;
	if (sender->left == 0)
		outgoing_check(&sender->file);
	if (fault_is_set(&sender->file.cause)) {
		exchange_fail(exchange, &sender->file.cause);
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

/* The same for a directory; IO_AGAIN: nothing can be sent yet. */
static enum io
sender_pack(struct sender *sender)
{
	struct exchange *exchange = &sender->exchange;
	struct stream *stream = exchange->stream;
	int before = stream->read.fd;
	size_t n = 0;
	enum io result = fault_is_set(&sender->file.cause)
		? IO_FAIL
		: package_next(&sender->package, sender->file.fd, &stream->read, &n,
			  &sender->file.cause);
	stream->write.reopened += stream->read.fd != before;
	if (result == IO_AGAIN)
		return IO_AGAIN;
	if (result == IO_OK) {
		sender->data = n < SENDER_DATA_MAX ? n : SENDER_DATA_MAX;
		sender->size += sender->data;
		exchange_put(exchange,
			&(struct protocol_message){ .kind = PROTOCOL_DATA, .size = sender->data });
	} else if (result == IO_END) {
		sender_finish(sender);
	} else {
		exchange_fail(exchange, &sender->file.cause);
	}
	return IO_OK;
}

/* One step of comparing what the receiver has; the bytes go no further than the pieces. */
static void
sender_compare(struct sender *sender, const struct iovec *pieces, int count)
{
	struct exchange *exchange = &sender->exchange;
	unsigned char own[BLOCKS_DIGEST];
	sender->read += outgoing_fill(&sender->file, pieces, count, sender->offset - sender->read);
	exchange->stream->read.at = STREAM_NOW;
	if (sender->read < sender->offset && !fault_is_set(&sender->file.cause))
		return;
	bool good = !fault_is_set(&sender->file.cause) &&
		blocks_finish(&sender->file.blocks, own, &sender->file.cause);
	if (good && memcmp(own, sender->wanted, sizeof own) != 0) {
		sender->offset = 0;
		good = outgoing_rewind(&sender->file);
	}
	if (!good) {
		exchange_fail(exchange, &sender->file.cause);
		return;
	}
	sender->left -= sender->offset;
	sender->state = SENDER_SENDS;
	exchange_put(exchange,
		&(struct protocol_message){ .kind = PROTOCOL_START, .offset = sender->offset });
	exchange_report_resumed(
		sender_path(sender), sender->offset, (uint64_t)sender->file.status.st_size);
}

/* Adds data to *got bytes of messages that are in the pieces, of which there are up to two. */
static void
sender_add(struct sender *sender, const struct iovec *pieces, int count, size_t *got)
{
	struct iovec rest[2] = { pieces[0], pieces[count - 1] };
	size_t skip = *got;
	int first = skip < rest[0].iov_len ? 0 : count - 1;
	if (first > 0)
		skip -= rest[0].iov_len;
	rest[first].iov_base = (unsigned char *)rest[first].iov_base + skip;
	rest[first].iov_len -= skip;
	if (rest[first].iov_len == 0 || sender->data == 0)
		return;
	size_t n = outgoing_fill(&sender->file, rest + first, count - first, sender->data);
	sender->data -= n;
	*got += n;
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
	if (sender->data > 0) {
		*got = outgoing_fill(&sender->file, pieces, count, sender->data);
		sender->data -= *got;
		stream->read.at = STREAM_NOW;
		return IO_OK;
	}
	if (sender->state == SENDER_PACKS && sender_pack(sender) == IO_AGAIN)
		return IO_AGAIN;
	if (sender->state == SENDER_SENDS)
		sender_continue(sender);
	else if (sender->state == SENDER_BEGINS)
		sender_begin(sender);
	else if (sender->state == SENDER_COMPARES) {
		sender_compare(sender, pieces, count);
		if (sender->state == SENDER_COMPARES && !exchange->failed)
			return IO_AGAIN;
	}
	result = exchange_read(exchange, pieces, count, got, fault);
	if (result == IO_OK && sender->state == SENDER_PACKS && exchange->from == exchange->to)
		sender_add(sender, pieces, count, got);
	return result;
}

static enum io
sender_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct sender *sender = stream->impl;
	stream->ready = false;
	enum io result = sender_produce(sender, pieces, count, got, fault);
	if (result == IO_OK)
		sender->made += *got;
	/* With what the messages around the data have needed up to now. */
	stream->caps.size =
		sender->unknown ? 0 : sender->made + sender->left + sender->data + sender->later;
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
	outgoing_close(&sender->file);
	package_close(&sender->package);
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
	if (config->stored != NULL)
		sender->first = sender->next = *config->stored;
	for (size_t i = sender->first; i < config->count; i++) {
		if (stat(config->files[i], &status) == -1)
			continue;
		sender->unknown |= S_ISDIR(status.st_mode);
		sender->later += (uint64_t)status.st_size;
	}
	sender->file.fd = -1;
	sender->package.archiver = ARCHIVER_NONE;
	const struct exchange_config exchange = {
		.ops = &sender_exchange, .peer = peer, .greeting = config->greeting
	};
	if (exchange_open(&sender->exchange, stream, &exchange, now, fault))
		return stream;
	stream_close(stream, false);
	return NULL;
}
