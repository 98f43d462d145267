/* The stream of a program; see exec.h. */
#include "stream/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "stream/child.h"
#include "stream/environment.h"
#include "sys/sys.h"

/* When the program has ended, but not its output, it has ended after so much silence. */
#define EXEC_DRAIN (1 * CLOCK_SECOND)

/* So much is under way in each direction: a third faster than what a pipe holds by itself. The
 * programs of a hundred clients stay below what a user's pipes may hold together. */
#define EXEC_PIPE (256 * 1024)

extern char **environ;

struct exec {
	struct exec_config config;
	struct child *child; /* NULL: it was not started */
	bool in_line;        /* a terminal was given no whole line at last */
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
		(void)fault_set(fault, STATUS_MEMORY, error, "run %s", name);
		break;
	case ENOENT:
		if (access(exec->config.path, F_OK) == -1)
			(void)fault_set(fault, STATUS_NOT_FOUND, error, "run %s", name);
		else
			(void)fault_set(fault, STATUS_NOT_EXECUTABLE, 0,
				"run %s: the interpreter that it names is not there", name);
		break;
	default:
		(void)fault_set(fault, STATUS_NOT_EXECUTABLE, error, "run %s", name);
		break;
	}
	return IO_FAIL;
}

/* What the program is given, and our ends of it: to be read, and to be written. -1: not there. */
struct exec_ends {
	int in, out;
	int ours[2];
};

/* Two pipes, of which the program gets an end each, which block as it expects. */
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

/* Two descriptors for our end: one is given up when nobody reads. */
static bool
exec_make_terminal(struct exec_ends *ends)
{
	int pair[2] = { -1, -1 };
	bool made = sys_open_terminal(pair);
	*ends = (struct exec_ends){ pair[1], pair[1],
		{ pair[0], made ? sys_duplicate(pair[0]) : -1 } };
	return made && ends->ours[1] != -1;
}

static bool
exec_start(struct exec *exec, const struct exec_ends *ends)
{
	const struct exec_config *config = &exec->config;
	char **environment = environment_make(
		environ, config->clear, config->protocol, &config->own, &config->peer, &config->from);
	errno = ENOMEM;
	const struct sys_program program = {
		.path = config->path,
		.argv = config->argv,
		.environment = environment,
		.in = ends->in,
		.out = ends->out,
		.terminal = config->terminal,
		.processes = config->processes,
	};
	pid_t pid = environment == NULL ? -1 : sys_spawn(&program);
	int error = errno;
	environment_free(environment);
	errno = error;
	if (pid == -1)
		return false;
	log_event(LOG_VERBOSE, "run %s: process %ld", config->name, (long)pid);
	exec->child = child_adopt(pid);
	errno = ENOMEM;
	return exec->child != NULL;
}

static enum io
exec_open(struct stream *stream, struct fault *fault)
{
	struct exec *exec = stream->impl;
	struct exec_ends ends;
	bool terminal = exec->config.terminal;
	bool made = terminal ? exec_make_terminal(&ends) : exec_make_pipes(&ends);
	bool started = made && exec_start(exec, &ends);
	int error = errno;
	if (ends.out != ends.in)
		(void)sys_close(&ends.out);
	(void)sys_close(&ends.in);
	stream->rfd = ends.ours[0];
	stream->wfd = ends.ours[1];
	if (terminal && !made) {
		(void)fault_set(
			fault, STATUS_MEMORY, error, "open a terminal for %s", exec->config.name);
		return IO_FAIL;
	}
	if (!started)
		return exec_failed(exec, error, fault);
	if (!terminal) {
		stream->splice_from = stream->rfd;
		stream->splice_to = stream->wfd;
	}
	stream->news = &exec->child->news;
	stream->watch = true;
	return IO_OK;
}

/* Nobody reads its input any more: from here on it goes nowhere. */
static bool
exec_deafen(struct stream *stream, struct fault *fault)
{
	const struct exec *exec = stream->impl;
	if (stream->deaf)
		return true;
	stream->deaf = true;
	if (stream->wfd == -1)
		return true;
	(void)sys_close(&stream->wfd);
	stream->wfd = stream->splice_to = sys_open("/dev/null", O_WRONLY);
	if (stream->wfd == -1)
		return fault_set(
			fault, STATUS_OUTPUT, errno, "write to %s: /dev/null", exec->config.name);
	log_event(LOG_VERBOSE, "%s does not read its input any more", exec->config.name);
	return true;
}

/* The program may have ended, and yet its output has not. */
static enum io
exec_wait(struct stream *stream, bool silent, struct fault *fault)
{
	const struct exec *exec = stream->impl;
	if (!exec->child->ended)
		return IO_AGAIN;
	/* What looks at the time has to be asked for each read. */
	stream->splice_from = -1;
	int64_t now = clock_now();
	if (!silent || stream->bulk.latest == 0)
		stream->bulk.latest = clock_after(now, EXEC_DRAIN);
	if (now < stream->bulk.latest)
		return IO_AGAIN;
	log_event(LOG_VERBOSE, "%s has ended, but something keeps its output open",
		exec->config.name);
	return exec_deafen(stream, fault) ? IO_END : IO_FAIL;
}

static enum io
exec_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct exec *exec = stream->impl;
	exec->child->news = false;
	ssize_t n = -1;
	if (stream->read_error == 0)
		n = sys_readv(stream->rfd, pieces, count);
	else
		errno = stream->read_error;
	if (n > 0) {
		*got = (size_t)n;
		(void)exec_wait(stream, false, fault);
		return IO_OK;
	}
	/* A terminal that no program has open any more says so with an error. */
	if (n == 0 || (errno == EIO && exec->config.terminal))
		return IO_END;
	if (sys_would_block(errno))
		return exec_wait(stream, true, fault);
	(void)fault_set(fault, STATUS_INPUT, errno, "read from %s", exec->config.name);
	return IO_FAIL;
}

/* Nobody reads: that is no failure of ours. */
static bool
exec_is_deaf_error(const struct exec *exec, int error)
{
	return error == EPIPE || (error == EIO && exec->config.terminal);
}

/* Whether the last of the n bytes taken is no line end. */
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
	struct pollfd look = { .fd = stream->wfd };
	int error = stream->write_error;
	ssize_t n = 0;
	*put = 0;
	stream->write_error = 0;
	if (error == 0 && count == 0 && poll(&look, 1, 0) == 1 &&
		(look.revents & (POLLERR | POLLHUP)) != 0)
		error = EPIPE;
	if (error == 0 && count > 0) {
		n = sys_writev(stream->wfd, pieces, count);
		error = n == -1 ? errno : 0;
	}
	if (sys_would_block(error))
		return IO_AGAIN;
	if (error != 0 && !exec_is_deaf_error(exec, error)) {
		(void)fault_set(fault, STATUS_OUTPUT, error, "write to %s", exec->config.name);
		return IO_FAIL;
	}
	if (error != 0 && !exec_deafen(stream, fault))
		return IO_FAIL;
	/* What is left is written to nowhere with the next turn. */
	if (n <= 0)
		return IO_OK;
	*put = (size_t)n;
	exec->in_line = exec_ends_in_line(pieces, *put);
	return IO_OK;
}

/* The end of input is a character, which within a line only ends that: there it takes two. */
static enum io
exec_end_terminal(struct exec *exec, int fd)
{
	struct termios modes;
	if (tcgetattr(fd, &modes) == -1)
		return IO_OK;
	struct iovec piece = { &modes.c_cc[VEOF], 1 };
	for (bool last = false; !last; exec->in_line = false) {
		last = !exec->in_line;
		if (sys_writev(fd, &piece, 1) == -1)
			return sys_would_block(errno) ? IO_AGAIN : IO_OK;
	}
	return IO_OK;
}

static enum io
exec_shut(struct stream *stream, struct fault *fault)
{
	struct exec *exec = stream->impl;
	(void)fault;
	if (!stream->half_close)
		return IO_OK;
	if (exec->config.terminal && !stream->deaf &&
		exec_end_terminal(exec, stream->wfd) == IO_AGAIN)
		return IO_AGAIN;
	stream->splice_to = -1;
	(void)sys_close(&stream->wfd);
	return IO_OK;
}

static void
exec_close(struct stream *stream)
{
	struct exec *exec = stream->impl;
	(void)sys_close(&stream->wfd);
	(void)sys_close(&stream->rfd);
	child_leave(exec->child, stream->clean, clock_now());
	free(exec);
}

static const struct stream_ops exec_ops = {
	.open = exec_open,
	.read = exec_read,
	.write = exec_write,
	.shut = exec_shut,
	.close = exec_close,
};

bool
exec_init(struct stream *stream, const struct exec_config *config, struct fault *fault)
{
	struct exec *exec = calloc(1, sizeof *exec);
	char *name = strdup(config->name);
	if (exec == NULL || name == NULL) {
		free(exec);
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "run %s", config->name);
	}
	exec->config = *config;
	stream_init(stream, &exec_ops, name, exec);
	return true;
}

bool
exec_has_ended(const struct stream *stream, int *status)
{
	const struct exec *exec = stream->impl;
	*status = exec->child->status;
	return exec->child->ended;
}
