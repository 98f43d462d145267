/* A participant of a chat; see chat.h. */
#include "broadcast/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CHAT_RENAME "/nick "
#define CHAT_LIST "/who"
#define CHAT_QUIT "/quit"

struct chat {
	struct bus_queue *queue; /* not owned */
	char name[CHAT_NAME_MAX + 1];
};

bool
chat_is_name(const char *name)
{
	size_t length =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
	return length > 0 && length <= CHAT_NAME_MAX && name[length] == '\0';
}

static struct iovec
chat_piece(const char *text)
{
	return (struct iovec){ (char *)(uintptr_t)text, strlen(text) };
}

/* Publishes "BEFORE name AFTER text". */
static enum io
chat_publish(struct chat *chat, const char *before, const char *after, const char *text,
	struct fault *fault)
{
	struct iovec pieces[] = { chat_piece(before), chat_piece(chat->name), chat_piece(after),
		chat_piece(text), chat_piece("\n") };
	size_t published;
	return bus_publish(chat->queue, pieces, 5, false, &published, fault);
}

/* Publishes a notice. */
static void
chat_notify(struct chat *chat, const char *what)
{
	struct iovec pieces[] = { chat_piece("* "), chat_piece(chat->name), chat_piece(what) };
	bus_notify(chat->queue, pieces, 3);
}

static enum io
chat_rename(struct chat *chat, const char *name, struct fault *fault)
{
	if (!chat_is_name(name))
		return IO_OK;
	enum io result = chat_publish(chat, "* ", " is now ", name, fault);
	if (result == IO_OK)
		memcpy(chat->name, name, strlen(name) + 1);
	return result;
}

static const struct stream_ops chat_ops;

/* The name of the participant whose queue this is; NULL: it has none, or has left. */
static const char *
chat_name_of(const struct bus_queue *queue)
{
	return queue->stream->ops == &chat_ops && !queue->publish_only
		? ((const struct chat *)queue->stream->impl)->name
		: NULL;
}

/* Sends the names of all participants to this one: "* here: NAME, NAME". */
static enum io
chat_list(struct chat *chat, struct fault *fault)
{
	const struct bus *bus = chat->queue->bus;
	struct iovec *pieces = calloc(2 * bus->subscribers + 1, sizeof *pieces);
	int count = 0;
	if (pieces == NULL) {
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "list the names");
		return IO_FAIL;
	}
	for (struct bus_queue *queue = bus->first; queue != NULL; queue = queue->next) {
		const char *name = chat_name_of(queue);
		if (name == NULL)
			continue;
		pieces[count] = chat_piece(count == 0 ? "* here: " : ", ");
		pieces[count + 1] = chat_piece(name);
		count += 2;
	}
	pieces[count++] = chat_piece("\n");
	bus_tell(chat->queue, pieces, count);
	free(pieces);
	return IO_OK;
}

/* Ends the stream: what is written from now on is dropped. */
static enum io
chat_quit(struct stream *stream)
{
	struct chat *chat = stream->impl;
	stream->stats.discarding = true;
	bus_finish(chat->queue);
	return IO_OK;
}

static enum io
chat_publish_line(struct stream *stream, const struct iovec *line, struct fault *fault)
{
	struct chat *chat = stream->impl;
	size_t length = line->iov_len;
	const char *bytes = line->iov_base;
	enum io result = IO_OK;
	if (length > 0 && bytes[length - 1] == '\r')
		length--;
	if (length == 0 || stream->stats.discarding)
		return IO_OK;
	char *shown = text_escape(bytes, length);
	if (shown == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "send to all");
	if (strncmp(shown, CHAT_RENAME, strlen(CHAT_RENAME)) == 0)
		result = chat_rename(chat, shown + strlen(CHAT_RENAME), fault);
	else if (strcmp(shown, CHAT_LIST) == 0)
		result = chat_list(chat, fault);
	else if (strcmp(shown, CHAT_QUIT) == 0)
		result = chat_quit(stream);
	else
		result = chat_publish(chat, "<", "> ", shown, fault);
	free(shown);
	return result;
}

static enum io
chat_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct chat *chat = stream->impl;
	const struct iovec greeting[] = { chat_piece("* you are "), chat_piece(chat->name),
		chat_piece(" (/nick NAME, /who, /quit)\n") };
	(void)pollset, (void)now, (void)fault;
	bus_tell(chat->queue, greeting, 3);
	chat_notify(chat, " joined\n");
	return IO_OK;
}

static enum io
chat_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	*put = 0;
	for (int i = 0; i < count; i++) {
		enum io result = chat_publish_line(stream, &pieces[i], fault);
		if (result != IO_OK && (i == 0 || result == IO_FAIL))
			return result;
		if (result != IO_OK)
			break;
		++*put;
	}
	/* There is no descriptor to wait on: continue at once. */
	if (stream->write.at == 0)
		stream->write.at = STREAM_NOW;
	return IO_OK;
}

static void
chat_close(struct stream *stream, bool clean)
{
	struct chat *chat = stream->impl;
	(void)clean;
	chat_notify(chat, " left\n");
	bus_leave(chat->queue);
}

/* No read: the queue lends (stream/lender.h). */
static const struct stream_ops chat_ops = {
	.open = chat_open,
	.write = chat_write,
	.close = chat_close,
};

struct stream *
chat_new(struct bus *bus, struct bus_queue *queue, const char *name, struct fault *fault)
{
	struct stream *stream =
		stream_new(&chat_ops, strdup("the chat"), sizeof(struct chat), fault);
	if (stream == NULL)
		return NULL;
	struct chat *chat = stream->impl;
	size_t length = strlen(name);
	chat->queue = queue;
	memcpy(chat->name, name, length < CHAT_NAME_MAX ? length : CHAT_NAME_MAX);
	bus_join(bus, queue, stream, false);
	stream->caps.taken = &bus->taken;
	stream->caps.message_max = SIZE_MAX;
	stream->caps.batch = SIZE_MAX;
	return stream;
}
