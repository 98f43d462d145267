/* The built-in services; see builtin.h. */
#include "stream/builtin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "sys/sys.h"

/* A line of RFC 864: 72 of the 95 printing characters of ASCII, each line starting one further. */
#define BUILTIN_LINE 72
#define BUILTIN_FIRST ' '
#define BUILTIN_COUNT 95

/* The longest answer of chargen to a datagram (RFC 864). */
#define BUILTIN_ANSWER 512

struct builtin {
	enum builtin_kind kind;
	bool answers;    /* one answer to each message; otherwise it sends on its own */
	bool owed;       /* the answer to the last message has not been read */
	size_t asked;    /* the length of that message */
	bool ended;      /* no more messages will be written */
	int null;        /* owned: /dev/null */
	unsigned line;   /* of BUILTIN_COUNT different ones */
	unsigned column; /* CR and LF follow the last one */
	char moment[64]; /* the line of daytime */
	size_t sent;     /* bytes of it that were read */
};

static enum io
builtin_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct builtin *builtin = stream->impl;
	(void)pollset, (void)now, (void)fault;
	/* For splice(2). Without a descriptor to spare writes discard the data. */
	if (builtin->kind == BUILTIN_DISCARD)
		stream->write.fd = stream->write.splice = builtin->null =
			sys_open("/dev/null", O_WRONLY);
	stream->ready = !builtin->answers;
	return IO_OK;
}

static char
builtin_next(struct builtin *builtin)
{
	unsigned column = builtin->column++;
	if (column < BUILTIN_LINE)
		return (char)(BUILTIN_FIRST + (builtin->line + column) % BUILTIN_COUNT);
	if (column == BUILTIN_LINE)
		return '\r';
	builtin->column = 0;
	builtin->line = (builtin->line + 1) % BUILTIN_COUNT;
	return '\n';
}

/* "Thursday, November 26, 2026 13:41:30-UTC", as RFC 867 suggests. */
static void
builtin_print_time(struct builtin *builtin)
{
	time_t now = time(NULL);
	struct tm parts;
	if (gmtime_r(&now, &parts) == NULL ||
		strftime(builtin->moment, sizeof builtin->moment, "%A, %B %d, %Y %H:%M:%S-UTC\r\n",
			&parts) == 0)
		builtin->moment[0] = '\0';
}

/* The next bytes of its output; 0: there are no more. */
static size_t
builtin_produce(struct builtin *builtin, char *to, size_t most)
{
	size_t n = 0;
	if (builtin->kind == BUILTIN_CHARGEN) {
		while (n < most)
			to[n++] = builtin_next(builtin);
		return n;
	}
	if (builtin->moment[0] == '\0')
		builtin_print_time(builtin);
	n = strlen(builtin->moment) - builtin->sent;
	if (n > most)
		n = most;
	memcpy(to, builtin->moment + builtin->sent, n);
	builtin->sent += n;
	return n;
}

/* Reads the answer that is owed. That of chargen is no longer than the request, so that a forged
 * sender address does not amplify traffic. */
static enum io
builtin_answer(struct stream *stream, char *to, size_t most, size_t *got)
{
	struct builtin *builtin = stream->impl;
	stream->ready = builtin->ended;
	if (!builtin->owed)
		return builtin->ended ? IO_END : IO_AGAIN;
	if (builtin->kind == BUILTIN_CHARGEN) {
		if (most > BUILTIN_ANSWER)
			most = BUILTIN_ANSWER;
		if (most > builtin->asked)
			most = builtin->asked;
		/* Each answer starts with a new line. */
		if (builtin->column > 0)
			builtin->line = (builtin->line + 1) % BUILTIN_COUNT;
		builtin->column = 0;
	} else {
		builtin->sent = 0;
		builtin_print_time(builtin);
	}
	*got = builtin_produce(builtin, to, most);
	builtin->owed = false;
	stream->write.at = STREAM_NOW;
	return IO_OK;
}

static enum io
builtin_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct builtin *builtin = stream->impl;
	char *to = count > 0 ? pieces[0].iov_base : NULL;
	size_t most = count > 0 ? pieces[0].iov_len : 0;
	(void)fault;
	if (builtin->kind == BUILTIN_DISCARD)
		return IO_END;
	if (builtin->answers)
		return builtin_answer(stream, to, most, got);
	/* chargen never ends. */
	if (builtin->kind == BUILTIN_CHARGEN && stream->read.draining)
		return IO_AGAIN;
	*got = builtin_produce(builtin, to, most);
	return *got > 0 ? IO_OK : IO_END;
}

static enum io
builtin_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct builtin *builtin = stream->impl;
	(void)fault;
	*put = 0;
	if (builtin->answers && builtin->owed && count > 0) {
		stream->write.at = CLOCK_NEVER;
		return IO_AGAIN;
	}
	*put = stream_total(pieces, count);
	stream->write.at = STREAM_NOW;
	if (builtin->answers && count > 0) {
		builtin->owed = stream->ready = true;
		builtin->asked = *put;
		*put = 1;
	}
	return IO_OK;
}

static enum io
builtin_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct builtin *builtin = stream->impl;
	(void)half_close, (void)fault;
	builtin->ended = true;
	if (builtin->answers)
		stream->ready = true;
	return IO_OK;
}

static void
builtin_close(struct stream *stream, bool clean)
{
	struct builtin *builtin = stream->impl;
	(void)clean;
	(void)sys_close(&builtin->null);
}

static const struct stream_ops builtin_ops = {
	.open = builtin_open,
	.read = builtin_read,
	.write = builtin_write,
	.shut = builtin_shut,
	.close = builtin_close,
};

struct stream *
builtin_new(enum builtin_kind kind, bool messages, struct fault *fault)
{
	static const char *const names[] = { "", "discard", "chargen", "daytime" };
	struct stream *stream =
		stream_new(&builtin_ops, strdup(names[kind]), sizeof(struct builtin), fault);
	if (stream == NULL)
		return NULL;
	struct builtin *builtin = stream->impl;
	builtin->kind = kind;
	builtin->null = -1;
	builtin->answers = messages && builtin_answers(kind);
	if (builtin->answers) {
		stream->caps.messages = true;
		stream->caps.message_max = SIZE_MAX;
	}
	return stream;
}
