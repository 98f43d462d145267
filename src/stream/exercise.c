/* The classic exercises; see exercise.h. */
#include "stream/exercise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "sys/sys.h"

/* A line of RFC 864: so many of the printing characters of ASCII, each line one further on. */
#define EXERCISE_LINE 72
#define EXERCISE_FIRST ' '
#define EXERCISE_COUNT 95

/* An answer of chargen has no more. */
#define EXERCISE_ANSWER 512

/* Invariant: an answer is owed, or the stream is written to as soon as something comes. */
struct exercise {
	enum exercise_kind kind;
	bool answers;    /* each message is answered with one; otherwise it speaks by itself */
	bool owed;       /* the answer to the last message has not been read, … */
	size_t asked;    /* … which was so long */
	bool ended;      /* no more messages will come */
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
	stream->pending = !exercise->answers;
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
	if (gmtime_r(&now, &parts) == NULL ||
		strftime(exercise->moment, sizeof exercise->moment,
			"%A, %B %d, %Y %H:%M:%S-UTC\r\n", &parts) == 0)
		exercise->moment[0] = '\0';
}

/* Goes on with what it says by itself; 0: it has said all. */
static size_t
exercise_say(struct exercise *exercise, char *to, size_t most)
{
	size_t n = 0;
	if (exercise->kind == EXERCISE_CHARGEN) {
		while (n < most)
			to[n++] = exercise_next(exercise);
		return n;
	}
	if (exercise->moment[0] == '\0')
		exercise_tell_time(exercise);
	n = strlen(exercise->moment) - exercise->told;
	if (n > most)
		n = most;
	memcpy(to, exercise->moment + exercise->told, n);
	exercise->told += n;
	return n;
}

/* The answer that is owed. That of chargen is never longer than what asked for it: whoever is named
 * as the sender need not have sent it. */
static enum io
exercise_answer(struct stream *stream, char *to, size_t most, size_t *got)
{
	struct exercise *exercise = stream->impl;
	stream->pending = exercise->ended;
	if (!exercise->owed)
		return exercise->ended ? IO_END : IO_AGAIN;
	if (exercise->kind == EXERCISE_CHARGEN) {
		if (most > EXERCISE_ANSWER)
			most = EXERCISE_ANSWER;
		if (most > exercise->asked)
			most = exercise->asked;
		/* Each begins with a line, the next one. */
		if (exercise->column > 0)
			exercise->line = (exercise->line + 1) % EXERCISE_COUNT;
		exercise->column = 0;
	} else {
		exercise->told = 0;
		exercise_tell_time(exercise);
	}
	*got = exercise_say(exercise, to, most);
	exercise->owed = false;
	stream->wagain = 1;
	return IO_OK;
}

static enum io
exercise_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct exercise *exercise = stream->impl;
	char *to = count > 0 ? pieces[0].iov_base : NULL;
	size_t most = count > 0 ? pieces[0].iov_len : 0;
	(void)fault;
	if (exercise->kind == EXERCISE_DISCARD)
		return IO_END;
	if (exercise->answers)
		return exercise_answer(stream, to, most, got);
	/* That has no end of its own. */
	if (exercise->kind == EXERCISE_CHARGEN && stream->last)
		return IO_AGAIN;
	*got = exercise_say(exercise, to, most);
	return *got > 0 ? IO_OK : IO_END;
}

static enum io
exercise_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct exercise *exercise = stream->impl;
	(void)fault;
	*put = 0;
	if (exercise->answers && exercise->owed && count > 0) {
		stream->wagain = CLOCK_NEVER;
		return IO_AGAIN;
	}
	*put = stream_total(pieces, count);
	/* There is nothing to wait for. */
	stream->wagain = 1;
	if (exercise->answers && count > 0) {
		exercise->owed = stream->pending = true;
		exercise->asked = *put;
	}
	return IO_OK;
}

static enum io
exercise_shut(struct stream *stream, struct fault *fault)
{
	struct exercise *exercise = stream->impl;
	(void)fault;
	exercise->ended = true;
	if (exercise->answers)
		stream->pending = true;
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
exercise_init(struct stream *stream, enum exercise_kind kind, bool answers, struct fault *fault)
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
	exercise->answers = answers && kind != EXERCISE_DISCARD;
	stream_init(stream, &exercise_ops, name, exercise);
	if (exercise->answers) {
		stream->rmessages = true;
		stream->wmessage_max = SIZE_MAX;
	}
	return true;
}
