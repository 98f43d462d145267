/* Standard input and output; see stdio.h. */
#include "stream/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "stream/terminal.h"
#include "sys/sys.h"

/* A job in the background looks this often whether it has been brought to the foreground. */
#define STDIO_BACKGROUND (200 * CLOCK_MILLISECOND)

/* Pipes carry what one read or write of ours can, instead of a sixteenth of it. */
#define STDIO_PIPE (1024 * 1024)

/* What a socket on standard output is given at most as one message. */
#define STDIO_MESSAGE_MAX 65536

enum stdio_kind { STDIO_PLAIN, STDIO_SOCKET, STDIO_MESSAGES };

struct stdio {
	struct stdio_config config;
	enum stdio_kind in, out;
	int input;                 /* what to read from; poll(2) looks at descriptor 0 itself */
	int opened[2];             /* descriptors of our own for input and output, -1: none */
	bool restore[2];           /* O_NONBLOCK was set on 0, 1 and has to go again */
	bool marked;               /* sys_mark_end was done to descriptor 0 and has to be undone */
	bool hung_up;              /* the terminal has said so once */
	bool seqpacket;            /* STDIO_MESSAGES that have an end */
	struct terminal *terminal; /* owned; output is shown through it */
};

/* Whether the descriptor is open for what is to be done with it. */
static bool
stdio_allows(int fd, int access)
{
	int flags = fcntl(fd, F_GETFL);
	return flags != -1 && ((flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == access);
}

/*
 * Gives a pipe or terminal a descriptor that does not block, without touching the one that others
 * share: the same thing is opened anew. Where that is not possible O_NONBLOCK is set on the shared
 * one, and taken back at the end. Files never block; sockets have MSG_DONTWAIT.
 */
static int
stdio_unblock(struct stdio *stdio, int fd, int access)
{
	struct stat status;
	bool was = true;
	if (!stdio_allows(fd, access) || fstat(fd, &status) == -1)
		return fd;
	if (!S_ISFIFO(status.st_mode) && !isatty(fd))
		return fd;
	if (S_ISFIFO(status.st_mode))
		sys_enlarge_pipe(fd, STDIO_PIPE);
	stdio->opened[fd] = sys_reopen(fd, access | O_NONBLOCK);
	if (stdio->opened[fd] != -1)
		return stdio->opened[fd];
	stdio->restore[fd] = sys_set_nonblocking(fd, true, &was) && !was;
	return fd;
}

static enum stdio_kind
stdio_kind_of(int fd, int *type)
{
	socklen_t size = sizeof *type;
	*type = SOCK_STREAM;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, type, &size) == -1)
		return STDIO_PLAIN;
	return *type == SOCK_STREAM ? STDIO_SOCKET : STDIO_MESSAGES;
}

/* Files and pipes, and what is not kept at all; a terminal has to be looked at in other ways, and
 * other devices may block in a splice. */
static bool
stdio_splices(int fd, bool output)
{
	struct stat status, null;
	if (fstat(fd, &status) == -1)
		return false;
	return S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) ||
		(output && S_ISCHR(status.st_mode) && stat("/dev/null", &null) == 0 &&
			status.st_rdev == null.st_rdev);
}

static enum io
stdio_open(struct stream *stream, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	int type;

	stream->from = "stdin";
	stdio->in = stdio_kind_of(STDIN_FILENO, &type);
	stdio->seqpacket = type == SOCK_SEQPACKET;
	stream->rmessages = stdio->in == STDIO_MESSAGES;
	stdio->marked = stdio->seqpacket && sys_mark_end(STDIN_FILENO, true);
	/* Not the one opened anew: a FIFO that had no writer left when it was opened never hangs
	 * up. */
	stream->rfd = STDIN_FILENO;
	stdio->input = stdio_unblock(stdio, STDIN_FILENO, O_RDONLY);
	/* Nothing ever comes from the wrong end of a pipe; the error does. */
	stream->pending = !stdio_allows(STDIN_FILENO, O_RDONLY);
	stream->terminal = isatty(STDIN_FILENO);
	if (stdio->in == STDIO_PLAIN && stdio_splices(stdio->input, false))
		stream->splice_from = stdio->input;

	if (stdio->config.discard) {
		stdio->opened[1] = stream->wfd = stream->splice_to =
			sys_open("/dev/null", O_WRONLY);
		if (stream->wfd != -1)
			return IO_OK;
		(void)fault_set(fault, STATUS_OUTPUT, errno, "open /dev/null");
		return IO_FAIL;
	}
	stdio->out = stdio_kind_of(STDOUT_FILENO, &type);
	if (stdio->out == STDIO_MESSAGES)
		stream->wmessage_max = STDIO_MESSAGE_MAX;
	stream->wfd = stdio_unblock(stdio, STDOUT_FILENO, O_WRONLY);
	if (stdio->out == STDIO_PLAIN && stdio_splices(stream->wfd, true))
		stream->splice_to = stream->wfd;
	/* A file, or a device, has no reader that could go away. */
	struct stat status;
	stream->watch = stdio->out != STDIO_PLAIN ||
		(fstat(stream->wfd, &status) == 0 && S_ISFIFO(status.st_mode));
	if (!stdio->config.raw && isatty(STDOUT_FILENO)) {
		stdio->terminal = calloc(1, sizeof *stdio->terminal);
		if (stdio->terminal == NULL) {
			(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "standard output");
			return IO_FAIL;
		}
		stdio->terminal->text.lines = true;
	}
	return IO_OK;
}

/* Our session's terminal belongs to the job in the foreground; a read by another would stop this
 * process. */
static bool
stdio_is_in_background(int terminal)
{
	pid_t foreground = tcgetpgrp(terminal);
	return foreground > 0 && foreground != getpgrp() && tcgetsid(terminal) == getsid(0);
}

/*
 * A read of nothing from a terminal: somebody has typed the end, or the terminal has gone. That is
 * no good end of what was typed; mostly SIGHUP is on its way and ends the session.
 */
static enum io
stdio_end_terminal(struct stream *stream, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	struct pollfd look = { .fd = stream->rfd };
	if (poll(&look, 1, 0) != 1 || (look.revents & (POLLHUP | POLLERR)) == 0)
		return IO_END;
	if (!stdio->hung_up) {
		stdio->hung_up = true;
		stream->ragain = clock_after(clock_now(), STDIO_BACKGROUND);
		return IO_AGAIN;
	}
	(void)fault_set(fault, STATUS_INPUT, 0, "read standard input: the terminal has gone");
	return IO_FAIL;
}

static enum io
stdio_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	struct sys_message message = { .from_length = 0 };
	ssize_t n = -1;

	if (stream->terminal && stdio_is_in_background(stream->rfd)) {
		stream->ragain = clock_after(clock_now(), STDIO_BACKGROUND);
		return IO_AGAIN;
	}
	if (stream->read_error != 0) {
		(void)fault_set(fault, STATUS_INPUT, stream->read_error, "read standard input");
		return IO_FAIL;
	}
	switch (stdio->in) {
	case STDIO_PLAIN:
		n = sys_readv(stdio->input, pieces, count);
		break;
	case STDIO_SOCKET:
		n = sys_receive(stdio->input, pieces, count);
		break;
	case STDIO_MESSAGES:
		n = sys_receive_message(stdio->input, pieces, count, stdio->seqpacket, &message);
		break;
	}
	if (n == -1 && sys_would_block(errno))
		return IO_AGAIN;
	if (n == -1) {
		(void)fault_set(fault, STATUS_INPUT, errno, "read standard input");
		return IO_FAIL;
	}
	if (message.truncated) {
		(void)fault_set(fault, STATUS_CUT, 0,
			"read standard input: a message is longer than %zd bytes", n);
		return IO_FAIL;
	}
	if (stdio->in == STDIO_MESSAGES ? message.end : n == 0)
		return stream->terminal ? stdio_end_terminal(stream, fault) : IO_END;
	*got = (size_t)n;
	return IO_OK;
}

static enum io
stdio_write_failed(int error, struct fault *fault)
{
	if (sys_would_block(error))
		return IO_AGAIN;
	/* "yes | head" is no accident: the reader has what it wanted. */
	if (error == EPIPE)
		(void)fault_set_quiet(fault, STATUS_OUTPUT);
	else
		(void)fault_set(fault, STATUS_OUTPUT, error, "write standard output");
	return IO_FAIL;
}

/* Whether there is still a reader. */
static enum io
stdio_look(const struct stream *stream, struct fault *fault)
{
	struct pollfd look = { .fd = stream->wfd };
	bool gone = poll(&look, 1, 0) == 1 && (look.revents & (POLLERR | POLLHUP)) != 0;
	return gone ? stdio_write_failed(EPIPE, fault) : IO_OK;
}

static enum io
stdio_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	ssize_t n;
	*put = 0;
	if (stream->write_error != 0)
		return stdio_write_failed(stream->write_error, fault);
	if (count == 0 && !stream->kept)
		return stdio_look(stream, fault);
	if (stdio->out != STDIO_MESSAGES && !stream->kept && stream_total(pieces, count) == 0)
		return IO_OK;
	if (stdio->terminal != NULL)
		n = terminal_write(stdio->terminal, stream->wfd, pieces, count, &stream->kept);
	else if (stdio->out == STDIO_PLAIN)
		n = sys_writev(stream->wfd, pieces, count);
	else
		n = sys_send(stream->wfd, pieces, count, NULL, 0);
	if (n == -1)
		return stdio_write_failed(errno, fault);
	*put = (size_t)n;
	return IO_OK;
}

static bool
stdio_is_same(int one, int other)
{
	struct stat a, b;
	return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
		a.st_ino == b.st_ino;
}

/*
 * Closes standard output, so that the next program in the pipeline sees the end, and finds what
 * only close reports: that a file's last bytes could not be stored.
 */
static enum io
stdio_shut(struct stream *stream, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	if (stdio->terminal != NULL && !terminal_finish(stdio->terminal, stream->wfd))
		return stdio_write_failed(errno, fault);
	if (!stream->half_close)
		return IO_OK;
	/* As both ends of one conversation (inetd) it stays open as standard input. */
	if (stdio->out != STDIO_PLAIN && stdio_is_same(STDIN_FILENO, STDOUT_FILENO))
		(void)shutdown(STDOUT_FILENO, SHUT_WR);

	bool opened = stdio->opened[1] != -1;
	bool good = sys_close(&stdio->opened[1]);
	int error = errno;
	stream->wfd = -1;
	if (!stdio->config.discard) {
		if (stdio->restore[1])
			(void)sys_set_nonblocking(STDOUT_FILENO, false, NULL);
		stdio->restore[1] = false;
		int output = STDOUT_FILENO;
		if (!sys_close(&output) && (good || !opened)) {
			error = errno;
			good = false;
		}
		/* The number stays taken: the lowest that is free, as 0 is open. Never read, never
		 * written; without it the next socket would be standard output. */
		(void)open("/dev/null", O_WRONLY);
	}
	return good ? IO_OK : stdio_write_failed(error, fault);
}

static void
stdio_close(struct stream *stream)
{
	struct stdio *stdio = stream->impl;
	for (int fd = 0; fd < 2; fd++) {
		(void)sys_close(&stdio->opened[fd]);
		if (stdio->restore[fd])
			(void)sys_set_nonblocking(fd, false, NULL);
	}
	if (stdio->marked)
		(void)sys_mark_end(STDIN_FILENO, false);
	free(stdio->terminal);
	free(stdio);
}

static const struct stream_ops stdio_ops = {
	.open = stdio_open,
	.read = stdio_read,
	.write = stdio_write,
	.shut = stdio_shut,
	.close = stdio_close,
};

bool
stdio_init(struct stream *stream, const struct stdio_config *config, struct fault *fault)
{
	struct stdio *stdio = calloc(1, sizeof *stdio);
	char *name = strdup("standard input and output");
	if (stdio == NULL || name == NULL) {
		free(stdio);
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "standard input and output");
	}
	stdio->config = *config;
	stdio->opened[0] = stdio->opened[1] = -1;
	stream_init(stream, &stdio_ops, name, stdio);
	return true;
}

bool
stdio_fill_gaps(void)
{
	bool closed = false;
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		closed |= fd == STDIN_FILENO;
		/* Open for the wrong thing: what is written to it fails, as it should. */
		(void)open("/dev/null",
			fd == STDIN_FILENO || fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
	}
	return closed;
}

int
stdio_take_input(void)
{
	int null = sys_open("/dev/null", O_RDWR);
	int fd = null != -1 ? sys_duplicate(STDIN_FILENO) : -1;
	bool good = fd != -1;
	for (int i = 0; i <= STDERR_FILENO && good; i++)
		good = !stdio_is_same(i, fd) || dup2(null, i) != -1;
	int error = errno;
	(void)sys_close(&null);
	if (!good)
		(void)sys_close(&fd);
	errno = error;
	return good ? fd : -1;
}
