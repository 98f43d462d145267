/* The classic exercises; see exercise.h. */
#include "stream/exercise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sys/sys.h"

/* A line of RFC 864: so many of the printing characters of ASCII, each line one further on. */
#define EXERCISE_LINE 72
#define EXERCISE_FIRST ' '
#define EXERCISE_COUNT 95

struct exercise {
	enum exercise_kind kind;
	int null;        /* owned: where everything goes */
	unsigned line;   /* of EXERCISE_COUNT different ones */
	unsigned column; /* in it; behind EXERCISE_LINE come CR and LF */
	char moment[64]; /* the line of daytime */
	size_t told;     /* of it */
};

static enum io
exercise_open(struct stream *stream, struct fault *fault)
{
	struct exercise *exercise = stream->impl;
	(void)fault;
	/* The kernel may throw much away by itself; if there is no descriptor for that, it need
	 * not.
	 */
	if (exercise->kind == EXERCISE_DISCARD)
		stream->wfd = stream->splice_to = exercise->null = sys_open("/dev/null", O_WRONLY);
	stream->pending = true;
	return IO_OK;
}

static char
exercise_next(struct exercise *exercise)
{
	unsigned column = exercise->column++;
	if (column < EXERCISE_LINE)
		return (char)(EXERCISE_FIRST + (exercise->line + column) % EXERCISE_COUNT);
	if (column == EXERCISE_LINE)
		return '\r';
	exercise->column = 0;
	exercise->line = (exercise->line + 1) % EXERCISE_COUNT;
	return '\n';
}

/* "Thursday, November 26, 2026 13:41:30-UTC", as RFC 867 suggests. */
static void
exercise_tell_time(struct exercise *exercise)
{
	time_t now = time(NULL);
	struct tm parts;
	if (exercise->moment[0] == '\0' &&
		(gmtime_r(&now, &parts) == NULL ||
			strftime(exercise->moment, sizeof exercise->moment,
				"%A, %B %d, %Y %H:%M:%S-UTC\r\n", &parts) == 0))
		exercise->moment[0] = '\0';
}

static enum io
exercise_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct exercise *exercise = stream->impl;
	char *to = count > 0 ? pieces[0].iov_base : NULL;
	size_t most = count > 0 ? pieces[0].iov_len : 0, n = 0;
	(void)fault;
	switch (exercise->kind) {
	case EXERCISE_DISCARD:
		return IO_END;
	case EXERCISE_CHARGEN:
		/* It has no end of its own. */
		if (stream->last)
			return IO_AGAIN;
		while (n < most)
			to[n++] = exercise_next(exercise);
		break;
	case EXERCISE_DAYTIME:
		exercise_tell_time(exercise);
		n = strlen(exercise->moment) - exercise->told;
		if (n == 0)
			return IO_END;
		if (n > most)
			n = most;
		memcpy(to, exercise->moment + exercise->told, n);
		exercise->told += n;
		break;
	}
	*got = n;
	return IO_OK;
}

static enum io
exercise_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	(void)fault;
	*put = stream_total(pieces, count);
	/* There is nothing to wait for. */
	stream->wagain = 1;
	return IO_OK;
}

static enum io
exercise_shut(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

static void
exercise_close(struct stream *stream)
{
	struct exercise *exercise = stream->impl;
	(void)sys_close(&exercise->null);
	free(exercise);
}

static const struct stream_ops exercise_ops = {
	.open = exercise_open,
	.read = exercise_read,
	.write = exercise_write,
	.shut = exercise_shut,
	.close = exercise_close,
};

bool
exercise_init(struct stream *stream, enum exercise_kind kind, struct fault *fault)
{
	static const char *const names[] = { "discard", "chargen", "daytime" };
	struct exercise *exercise = calloc(1, sizeof *exercise);
	char *name = strdup(names[kind]);
	if (exercise == NULL || name == NULL) {
		free(exercise);
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "%s", names[kind]);
	}
	exercise->kind = kind;
	exercise->null = -1;
	stream_init(stream, &exercise_ops, name, exercise);
	return true;
}
