/* Standard input and output; see stdio.h. */
#include "stream/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "net/transport.h"
#include "stream/terminal.h"
#include "sys/sys.h"

/* How often a background job checks whether it is in the foreground. */
#define STDIO_BACKGROUND (200 * CLOCK_MILLISECOND)

/* The size of pipes: that of one read or write, instead of a sixteenth of it. */
#define STDIO_PIPE (1024 * 1024)

/* The largest message for a socket of an unknown kind on standard output. */
#define STDIO_MESSAGE_MAX 65536

enum stdio_kind { STDIO_PLAIN, STDIO_SOCKET, STDIO_MESSAGES };

struct stdio {
	struct stdio_config config;
	enum stdio_kind in, out;
	int input;                 /* read(2) uses it; poll(2) uses descriptor 0 itself */
	int opened[2];             /* own descriptors for input and output; -1: none */
	bool restore[2];           /* O_NONBLOCK was set on 0, 1 and has to be cleared */
	bool marked;               /* sys_mark_end of descriptor 0 has to be undone */
	bool hung_up;              /* the terminal hung up at the last read */
	bool seqpacket;            /* STDIO_MESSAGES that have an end */
	bool screen;               /* the output is a terminal */
	struct terminal *terminal; /* owned; escapes output to a terminal; NULL: none */
};

/*
 * A non-blocking descriptor for a pipe or terminal. O_NONBLOCK belongs to the open file
 * description, which other processes share, so the file is opened again; where that fails
 * O_NONBLOCK is set, and cleared at the end. Files never block; sockets have MSG_DONTWAIT.
 */
static int
stdio_unblock(struct stdio *stdio, int fd, int access)
{
	struct stat status;
	bool was = true;
	if (fstat(fd, &status) == -1 || (!S_ISFIFO(status.st_mode) && !isatty(fd)))
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

bool
stdio_keeps_messages(int fd)
{
	int type;
	return stdio_kind_of(fd, &type) == STDIO_MESSAGES;
}

static size_t
stdio_message_max(void)
{
	bool listens;
	const struct transport *transport = transport_of_socket(STDOUT_FILENO, &listens);
	return transport != NULL ? transport_message_max(transport, STDOUT_FILENO)
				 : STDIO_MESSAGE_MAX;
}

/* Files, pipes and /dev/null. Output to a terminal is escaped, and other devices may block in
 * splice(2). */
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
stdio_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	int type;
	(void)pollset, (void)now;

	stream->loan.from = "stdin";
	stdio->in = stdio_kind_of(STDIN_FILENO, &type);
	stdio->seqpacket = type == SOCK_SEQPACKET;
	stream->caps.messages = stdio->in == STDIO_MESSAGES;
	stdio->marked = stdio->seqpacket && sys_mark_end(STDIN_FILENO, true);
	/* Not the new descriptor: a FIFO that is opened without a writer reports no hang-up. */
	stream->read.fd = STDIN_FILENO;
	stdio->input = stdio_unblock(stdio, STDIN_FILENO, O_RDONLY);
	stream->caps.terminal = isatty(STDIN_FILENO);
	stream->caps.size = sys_rest_of_file(STDIN_FILENO);
	if (stdio->in == STDIO_PLAIN && stdio_splices(stdio->input, false))
		stream->read.splice = stdio->input;

	if (stdio->config.discard) {
		stdio->opened[1] = stream->write.fd = stream->write.splice =
			sys_open("/dev/null", O_WRONLY);
		return stream->write.fd != -1
			? IO_OK
			: IO_FAULT(fault, STATUS_OUTPUT, errno, "open /dev/null");
	}
	stdio->out = stdio_kind_of(STDOUT_FILENO, &type);
	if (stdio->out == STDIO_MESSAGES)
		stream->caps.message_max = stdio_message_max();
	stream->write.fd = stdio_unblock(stdio, STDOUT_FILENO, O_WRONLY);
	if (stdio->out == STDIO_PLAIN && stdio_splices(stream->write.fd, true))
		stream->write.splice = stream->write.fd;
	/* Files and devices have no reader that could close. */
	struct stat status;
	if (!stdio->config.unwatched &&
		(stdio->out != STDIO_PLAIN ||
			(fstat(stream->write.fd, &status) == 0 && S_ISFIFO(status.st_mode))))
		stream->hangup.fd = stream->write.fd;
	if ((stdio->screen = isatty(STDOUT_FILENO)) && !stdio->config.raw) {
		stdio->terminal = calloc(1, sizeof *stdio->terminal);
		if (stdio->terminal == NULL)
			return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "standard output");
		stdio->terminal->own.lines = true;
	}
	return IO_OK;
}

/*
 * The end of input from a terminal: the end-of-file character, or a hang-up. A hang-up is a
 * failure, but gets SIGHUP time to arrive and end the session.
 */
static enum io
stdio_end_terminal(struct stream *stream, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	if ((pollset_look(stream->read.fd, 0) & (POLLHUP | POLLERR)) == 0)
		return IO_END;
	if (!stdio->hung_up) {
		stdio->hung_up = true;
		stream->read.at = clock_after(clock_now(), STDIO_BACKGROUND);
		return IO_AGAIN;
	}
	return IO_FAULT(
		fault, STATUS_INPUT, 0, "read %s: the terminal was closed", stdio->config.input);
}

static enum io
stdio_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	struct sys_message message = { .from_length = 0 };
	ssize_t n = -1;

	if (stream->caps.terminal && terminal_in_background(stream->read.fd)) {
		stream->read.at = clock_after(clock_now(), STDIO_BACKGROUND);
		return IO_AGAIN;
	}
	if (stream->read.error != 0)
		return IO_FAULT(
			fault, STATUS_INPUT, stream->read.error, "read %s", stdio->config.input);
	switch (stdio->in) {
	case STDIO_PLAIN:
		n = sys_readv(stdio->input, pieces, count);
		break;
	case STDIO_SOCKET:
		n = sys_receive(stdio->input, pieces, count);
		break;
	case STDIO_MESSAGES:
		if (stream_has_space(stream, stdio->input, stream_total(pieces, count)))
			n = sys_receive_message(
				stdio->input, pieces, count, stdio->seqpacket, &message);
		break;
	}
	if (n == -1 && sys_would_block(errno))
		return IO_AGAIN;
	if (n == -1)
		return IO_FAULT(fault, STATUS_INPUT, errno, "read %s", stdio->config.input);
	if (message.truncated)
		return IO_FAULT(fault, STATUS_CUT, 0, "read %s: a message is longer than %zd bytes",
			stdio->config.input, n);
	if (stdio->in == STDIO_MESSAGES ? message.end : n == 0)
		return stream->caps.terminal ? stdio_end_terminal(stream, fault) : IO_END;
	*got = (size_t)n;
	return IO_OK;
}

static enum io
stdio_write_failed(const struct stdio *stdio, int error, struct fault *fault)
{
	if (sys_would_block(error))
		return IO_AGAIN;
	/* As in "yes | head": not worth a message. */
	if (error != EPIPE)
		return IO_FAULT(fault, STATUS_OUTPUT, error, "write %s", stdio->config.output);
	if (!fault_is_set(fault))
		event_emit(&(struct event){
			.kind = EVENT_output_closed, .object = stdio->config.output });
	(void)fault_set_quiet(fault, STATUS_OUTPUT);
	return IO_FAIL;
}

/* Whether a reader is left. */
static enum io
stdio_look(struct stream *stream, struct fault *fault)
{
	const struct stdio *stdio = stream->impl;
	bool gone = (pollset_look(stream->write.fd, 0) & (POLLERR | POLLHUP)) != 0;
	stream->hangup.fd = -1;
	return gone ? stdio_write_failed(stdio, EPIPE, fault) : IO_OK;
}

static enum io
stdio_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	ssize_t n;
	*put = 0;
	if (stream->write.error != 0)
		return stdio_write_failed(stdio, stream->write.error, fault);
	if (count == 0 && !stream->buffered)
		return stdio_look(stream, fault);
	if (stdio->out != STDIO_MESSAGES && !stream->buffered && stream_total(pieces, count) == 0)
		return IO_OK;
	if (stdio->screen)
		log_give_way();
	if (stdio->terminal != NULL)
		n = terminal_write(
			stdio->terminal, stream->write.fd, pieces, count, &stream->buffered);
	else if (stdio->out == STDIO_PLAIN)
		n = sys_writev(stream->write.fd, pieces, count);
	else
		n = sys_send(stream->write.fd, pieces, count, NULL, 0);
	if (n == -1)
		return stdio_write_failed(stdio, errno, fault);
	*put = stdio->out == STDIO_MESSAGES ? 1 : (size_t)n;
	return IO_OK;
}

void
stdio_set_text(struct stream *stream, struct text *text)
{
	struct stdio *stdio = stream->impl;
	if (stdio->terminal != NULL)
		stdio->terminal->text = text;
}

enum io
stdio_end_text(struct stream *stream, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	if (stdio->terminal == NULL || terminal_finish(stdio->terminal, stream->write.fd))
		return IO_OK;
	return stdio_write_failed(stdio, errno, fault);
}

static bool
stdio_is_same(int one, int other)
{
	struct stat a, b;
	return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
		a.st_ino == b.st_ino;
}

/*
 * Closes standard output, so that the next program in the pipeline sees the end, and reports errors
 * that only close(2) finds, such as on NFS.
 */
static enum io
stdio_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct stdio *stdio = stream->impl;
	if (stdio->terminal != NULL && !terminal_finish(stdio->terminal, stream->write.fd))
		return stdio_write_failed(stdio, errno, fault);
	if (!half_close)
		return IO_OK;
	/* A socket that is both input and output (inetd) stays open as standard input. */
	if (stdio->out != STDIO_PLAIN && stdio_is_same(STDIN_FILENO, STDOUT_FILENO))
		(void)shutdown(STDOUT_FILENO, SHUT_WR);

	bool opened = stdio->opened[1] != -1;
	bool good = sys_close(&stdio->opened[1]);
	int error = errno;
	stream->write.fd = -1;
	if (!stdio->config.discard) {
		if (stdio->restore[1])
			(void)sys_set_nonblocking(STDOUT_FILENO, false, NULL);
		stdio->restore[1] = false;
		int output = STDOUT_FILENO;
		if (!sys_close(&output) && (good || !opened)) {
			error = errno;
			good = false;
		}
		/* Occupy descriptor 1, the lowest free number, so that the next socket does not
		 * become standard output. */
		(void)open("/dev/null", O_WRONLY);
	}
	return good ? IO_OK : stdio_write_failed(stdio, error, fault);
}

static void
stdio_close(struct stream *stream, bool clean)
{
	struct stdio *stdio = stream->impl;
	(void)clean;
	for (int fd = 0; fd < 2; fd++) {
		(void)sys_close(&stdio->opened[fd]);
		if (stdio->restore[fd])
			(void)sys_set_nonblocking(fd, false, NULL);
	}
	if (stdio->marked)
		(void)sys_mark_end(STDIN_FILENO, false);
	free(stdio->terminal);
}

static const struct stream_ops stdio_ops = {
	.open = stdio_open,
	.read = stdio_read,
	.write = stdio_write,
	.shut = stdio_shut,
	.close = stdio_close,
};

struct stream *
stdio_new(const struct stdio_config *config, struct fault *fault)
{
	struct stream *stream = stream_new(
		&stdio_ops, strdup("standard input and output"), sizeof(struct stdio), fault);
	if (stream == NULL)
		return NULL;
	struct stdio *stdio = stream->impl;
	stdio->config = *config;
	stdio->config.input = config->input != NULL ? config->input : "standard input";
	stdio->config.output = config->output != NULL ? config->output : "standard output";
	stdio->opened[0] = stdio->opened[1] = -1;
	return stream;
}

bool
stdio_fill_gaps(bool *input_closed, struct fault *fault)
{
	*input_closed = false;
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (sys_is_open_for(fd, fd == STDIN_FILENO ? O_RDONLY : O_WRONLY))
			continue;
		*input_closed |= fd == STDIN_FILENO;
		/* The number is the lowest free one, as those below are open. Standard output is
		 * opened for reading: a write to it fails with EBADF. */
		(void)close(fd);
		if (open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) == -1)
			return fault_set(fault, fd == STDIN_FILENO ? STATUS_INPUT : STATUS_OUTPUT,
				errno, "open /dev/null");
	}
	return true;
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
