/* One who takes part in a chat; see chat.h. */
#include "stream/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CHAT_RENAME "/nick "

struct chat {
	struct post_box *box; /* not owned */
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

/* "BEFORE name BEHIND words", to all others. */
static enum io
chat_say(struct chat *chat, const char *before, const char *behind, const char *words,
	struct fault *fault)
{
	struct iovec pieces[] = { chat_piece(before), chat_piece(chat->name), chat_piece(behind),
		chat_piece(words), chat_piece("\n") };
	size_t said;
	return post_say(chat->box, pieces, 5, false, &said, fault);
}

/* News that nobody has to wait for. */
static void
chat_tell(struct chat *chat, const char *what)
{
	struct iovec pieces[] = { chat_piece("* "), chat_piece(chat->name), chat_piece(what) };
	post_tell(chat->box, pieces, 3);
}

static enum io
chat_rename(struct chat *chat, const char *name, struct fault *fault)
{
	if (!chat_is_name(name))
		return IO_OK;
	enum io result = chat_say(chat, "* ", " is now ", name, fault);
	if (result == IO_OK)
		memcpy(chat->name, name, strlen(name) + 1);
	return result;
}

static enum io
chat_say_line(struct chat *chat, const struct iovec *line, struct fault *fault)
{
	size_t length = line->iov_len;
	const char *bytes = line->iov_base;
	enum io result = IO_OK;
	if (length > 0 && bytes[length - 1] == '\r')
		length--;
	if (length == 0)
		return IO_OK;
	char *shown = text_escape(bytes, length);
	if (shown == NULL) {
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "send to all");
		return IO_FAIL;
	}
	if (strncmp(shown, CHAT_RENAME, strlen(CHAT_RENAME)) == 0)
		result = chat_rename(chat, shown + strlen(CHAT_RENAME), fault);
	else
		result = chat_say(chat, "<", "> ", shown, fault);
	free(shown);
	return result;
}

static enum io
chat_open(struct stream *stream, struct fault *fault)
{
	(void)fault;
	chat_tell(stream->impl, " joined\n");
	return IO_OK;
}

/* What waits is taken from the box itself (flow/fanout.h). */
static enum io
chat_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	(void)stream, (void)pieces, (void)count, (void)fault;
	*got = 0;
	return IO_END;
}

static enum io
chat_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct chat *chat = stream->impl;
	*put = 0;
	for (int i = 0; i < count; i++) {
		enum io result = chat_say_line(chat, &pieces[i], fault);
		if (result != IO_OK && (i == 0 || result == IO_FAIL))
			return result;
		if (result != IO_OK)
			break;
		*put += pieces[i].iov_len;
		stream->wtaken = (size_t)i + 1;
	}
	/* There is no descriptor to wait on: what is left has its turn at once. */
	if (stream->wagain == 0)
		stream->wagain = 1;
	return IO_OK;
}

static enum io
chat_shut(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

static void
chat_close(struct stream *stream)
{
	struct chat *chat = stream->impl;
	chat_tell(chat, " left\n");
	post_leave(chat->box);
	free(chat);
}

static const struct stream_ops chat_ops = {
	.open = chat_open,
	.read = chat_read,
	.write = chat_write,
	.shut = chat_shut,
	.close = chat_close,
};

bool
chat_init(struct stream *stream, struct post *post, struct post_box *box, const char *name,
	struct fault *fault)
{
	struct chat *chat = calloc(1, sizeof *chat);
	char *shown = strdup("the chat");
	size_t length = strlen(name);
	if (chat == NULL || shown == NULL) {
		free(chat);
		free(shown);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "join the chat");
	}
	chat->box = box;
	memcpy(chat->name, name, length < CHAT_NAME_MAX ? length : CHAT_NAME_MAX);
	stream_init(stream, &chat_ops, shown, chat);
	post_join(post, box, stream, false);
	stream->box = box;
	stream->wmessage_max = SIZE_MAX;
	stream->wbatch = SIZE_MAX;
	return true;
}
