/* The stream of a program; see exec.h. */
#include "program/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "program/child.h"
#include "program/child_env.h"
#include "sys/sys.h"

/* How long to wait for output after the program has exited. */
#define EXEC_DRAIN (1 * CLOCK_SECOND)

/* The pipe capacity: a third faster than the default. A hundred clients stay below the limit of a
 * user's pipes (pipe(7), pipe-user-pages-soft). */
#define EXEC_PIPE (256 * 1024)

extern char **environ;

struct exec {
	struct exec_config config;
	struct child *child; /* NULL: it was not started */
	bool in_line;        /* the last byte written to a terminal did not end a line */
	int64_t drain_ends;  /* when silence ends the output of a program that has ended; 0: not yet
			      */
	int rest;            /* owned: after shut, the pipe that holds unread input; -1: none */
};

static enum io
exec_failed(const struct exec *exec, int error, struct fault *fault)
{
	const char *name = exec->config.name;
	switch (error) {
	case EAGAIN:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return IO_FAULT(fault, STATUS_MEMORY, error, "run %s", name);
	case ENOENT:
		if (access(exec->config.path, F_OK) == -1)
			return IO_FAULT(fault, STATUS_NOT_FOUND, error, "run %s", name);
		return IO_FAULT(fault, STATUS_NOT_EXECUTABLE, 0,
			"run %s: the interpreter that it names is not there", name);
	default:
		return IO_FAULT(fault, STATUS_NOT_EXECUTABLE, error, "run %s", name);
	}
}

/* The program's ends of its pipes or terminal, and the own ends for reading and writing; -1: none.
 */
struct exec_ends {
	int in, out;
	int ours[2];
};

/* Makes two pipes; the program's ends block, as programs expect. */
static bool
exec_make_pipes(struct exec_ends *ends)
{
	int input[2] = { -1, -1 }, output[2] = { -1, -1 };
	bool made = sys_pipe(input) && sys_pipe(output) &&
		sys_set_nonblocking(input[0], false, NULL) &&
		sys_set_nonblocking(output[1], false, NULL);
	*ends = (struct exec_ends){ input[0], output[1], { output[0], input[1] } };
	if (!made)
		return false;
	sys_enlarge_pipe(input[1], EXEC_PIPE);
	sys_enlarge_pipe(output[0], EXEC_PIPE);
	return true;
}

/* The own end has two descriptors, since the one for writing is closed first. */
static bool
exec_make_terminal(struct exec_ends *ends, bool raw)
{
	int pair[2] = { -1, -1 };
	bool made = sys_open_terminal(pair, raw);
	*ends = (struct exec_ends){ pair[1], pair[1],
		{ pair[0], made ? sys_duplicate(pair[0]) : -1 } };
	return made && ends->ours[1] != -1;
}

static bool
exec_start(struct exec *exec, const struct exec_ends *ends, bool *ready)
{
	const struct exec_config *config = &exec->config;
	char **environment = child_env_make(environ, config->clear, config->protocol, &config->own,
		&config->peer, &config->from, config->secure ? &config->tls : NULL);
	errno = ENOMEM;
	const struct sys_program program = {
		.path = config->path,
		.argv = config->argv,
		.environment = environment,
		.in = ends->in,
		.out = ends->out,
		.report = -1,
		.terminal = config->terminal,
		.processes = config->processes,
	};
	pid_t pid = environment == NULL ? -1 : sys_spawn(&program);
	int error = errno;
	child_env_free(environment);
	errno = error;
	if (pid == -1)
		return false;
	event_emit(&(struct event){
		.kind = EVENT_program_started, .object = config->name, .pid = (uint64_t)pid });
	exec->child = child_adopt(pid, config->name, ready);
	errno = ENOMEM;
	return exec->child != NULL;
}

static enum io
exec_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct exec *exec = stream->impl;
	struct exec_ends ends;
	bool terminal = exec->config.terminal;
	bool made = terminal ? exec_make_terminal(&ends, exec->config.raw) : exec_make_pipes(&ends);
	bool started = made && exec_start(exec, &ends, &stream->ready);
	int error = errno;
	(void)pollset, (void)now;
	if (ends.out != ends.in)
		(void)sys_close(&ends.out);
	(void)sys_close(&ends.in);
	stream->read.fd = ends.ours[0];
	stream->write.fd = ends.ours[1];
	if (terminal && !made)
		return IO_FAULT(
			fault, STATUS_MEMORY, error, "open a terminal for %s", exec->config.name);
	if (!started)
		return exec_failed(exec, error, fault);
	if (!terminal) {
		stream->read.splice = exec->config.strict ? -1 : stream->read.fd;
		stream->write.splice = stream->write.fd;
	}
	stream->hangup.fd = stream->write.fd;
	return IO_OK;
}

/* The program has closed its input: redirect writes to /dev/null. */
static bool
exec_discard_input(struct stream *stream, struct fault *fault)
{
	const struct exec *exec = stream->impl;
	if (stream->stats.discarding)
		return true;
	stream->stats.discarding = true;
	if (stream->write.fd == -1)
		return true;
	/* Stop watching for hang-ups; the descriptor number will be reused. */
	stream->hangup.fd = -1;
	stream->write.reopened++;
	(void)sys_close(&stream->write.fd);
	stream->write.fd = stream->write.splice = sys_open("/dev/null", O_WRONLY);
	if (stream->write.fd == -1)
		return fault_set(
			fault, STATUS_OUTPUT, errno, "write to %s: /dev/null", exec->config.name);
	event_emit(
		&(struct event){ .kind = EVENT_program_closed_input, .object = exec->config.name });
	return true;
}

/* The end of the output. With `strict` it depends on the program's exit status, which is there
 * soon. */
static enum io
exec_conclude(struct stream *stream, struct fault *fault)
{
	const struct exec *exec = stream->impl;
	int status;
	if (!exec->config.strict)
		return IO_END;
	if (!exec_has_ended(stream, &status))
		return IO_AGAIN;
	if (status == 0)
		return IO_END;
	(void)fault_set_quiet(fault, (enum status)status);
	return IO_FAIL;
}

/* Ends the output of an exited program after EXEC_DRAIN without output. */
static enum io
exec_wait(struct stream *stream, bool silent, struct fault *fault)
{
	struct exec *exec = stream->impl;
	if (!exec->child->ended)
		return IO_AGAIN;
	/* Reads have to pass here to check the time. */
	stream->read.splice = -1;
	int64_t now = clock_now();
	if (!silent || exec->drain_ends == 0)
		exec->drain_ends = clock_after(now, EXEC_DRAIN);
	stream->read.by = exec->drain_ends;
	if (now < exec->drain_ends)
		return IO_AGAIN;
	event_emit(
		&(struct event){ .kind = EVENT_program_output_held, .object = exec->config.name });
	return exec_discard_input(stream, fault) ? exec_conclude(stream, fault) : IO_FAIL;
}

static enum io
exec_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct exec *exec = stream->impl;
	stream->ready = false;
	ssize_t n = -1;
	if (stream->read.error == 0)
		n = sys_readv(stream->read.fd, pieces, count);
	else
		errno = stream->read.error;
	if (n > 0) {
		*got = (size_t)n;
		(void)exec_wait(stream, false, fault);
		return IO_OK;
	}
	/* EIO: no process has the terminal open. */
	if (n == 0 || (errno == EIO && exec->config.terminal))
		return exec_conclude(stream, fault);
	if (sys_would_block(errno))
		return exec_wait(stream, true, fault);
	return IO_FAULT(fault, STATUS_INPUT, errno, "read from %s", exec->config.name);
}

/* Whether the last of the n written bytes is not a line end. */
static bool
exec_ends_in_line(const struct iovec *pieces, size_t n)
{
	while (n > pieces->iov_len)
		n -= pieces++->iov_len;
	return ((const char *)pieces->iov_base)[n - 1] != '\n';
}

static enum io
exec_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct exec *exec = stream->impl;
	int error = stream->write.error;
	ssize_t n = 0;
	*put = 0;
	stream->write.error = 0;
	if (error == 0 && count == 0 &&
		(pollset_look(stream->write.fd, 0) & (POLLERR | POLLHUP)) != 0)
		error = EPIPE;
	if (error == 0 && count > 0) {
		n = sys_writev(stream->write.fd, pieces, count);
		error = n == -1 ? errno : 0;
	}
	if (sys_would_block(error))
		return IO_AGAIN;
	/* EPIPE, EIO: no process reads the input. */
	if (error != 0 && error != EPIPE && (error != EIO || !exec->config.terminal))
		return IO_FAULT(fault, STATUS_OUTPUT, error, "write to %s", exec->config.name);
	if (error != 0 && !exec_discard_input(stream, fault))
		return IO_FAIL;
	/* The rest is written to /dev/null in the next turn. */
	if (n <= 0) {
		stream->hangup.fd = -1;
		return IO_OK;
	}
	*put = (size_t)n;
	exec->in_line = exec_ends_in_line(pieces, *put);
	return IO_OK;
}

/* Writes the end-of-file character of the terminal, twice within a line, where the first one only
 * flushes the line (termios(3), VEOF). In raw mode there are no lines, and it is an ordinary byte,
 * which interactive programs take as the end. */
static enum io
exec_end_terminal(struct exec *exec, int fd)
{
	struct termios modes;
	if (tcgetattr(fd, &modes) == -1)
		return IO_OK;
	struct iovec piece = { &modes.c_cc[VEOF], 1 };
	exec->in_line = exec->in_line && (modes.c_lflag & ICANON) != 0;
	for (bool last = false; !last; exec->in_line = false) {
		last = !exec->in_line;
		if (sys_writev(fd, &piece, 1) == -1)
			return sys_would_block(errno) ? IO_AGAIN : IO_OK;
	}
	return IO_OK;
}

/* Replaces the write end of the pipe by a read end, to monitor how much the program has read. Only
 * write ends delay its end of file. */
static void
exec_keep_rest(struct stream *stream)
{
	struct exec *exec = stream->impl;
	size_t untaken;
	if (!stream->stats.discarding && sys_untaken(stream->write.fd, &untaken) && untaken > 0)
		exec->rest = sys_reopen(stream->write.fd, O_RDONLY | O_NONBLOCK);
	(void)sys_close(&stream->write.fd);
	stream->write.fd = exec->rest;
}

static enum io
exec_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct exec *exec = stream->impl;
	(void)fault;
	if (!half_close)
		return IO_OK;
	if (exec->config.terminal && !stream->stats.discarding &&
		exec_end_terminal(exec, stream->write.fd) == IO_AGAIN)
		return IO_AGAIN;
	stream->write.splice = -1;
	exec_keep_rest(stream);
	return IO_OK;
}

static void
exec_close(struct stream *stream, bool clean)
{
	struct exec *exec = stream->impl;
	if (exec->rest == -1)
		(void)sys_close(&stream->write.fd);
	(void)sys_close(&stream->read.fd);
	child_leave(exec->child, clean, exec->rest, clock_now());
}

static const struct stream_ops exec_ops = {
	.open = exec_open,
	.read = exec_read,
	.write = exec_write,
	.shut = exec_shut,
	.close = exec_close,
};

struct stream *
exec_new(const struct exec_config *config, struct fault *fault)
{
	struct stream *stream =
		stream_new(&exec_ops, strdup(config->name), sizeof(struct exec), fault);
	if (stream != NULL)
		*(struct exec *)stream->impl = (struct exec){ .config = *config, .rest = -1 };
	return stream;
}

bool
exec_has_ended(const struct stream *stream, int *status)
{
	const struct exec *exec = stream->impl;
	*status = exec->child->status;
	return exec->child->ended;
}
