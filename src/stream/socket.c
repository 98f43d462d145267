/* The stream of a connected socket; see socket.h. */
#include "stream/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "stream/shortage.h"
#include "sys/sys.h"

/* From the peer's end on a connection on which nothing moves is probed: after a minute every ten
 * seconds, so that a peer that has vanished is noticed within two minutes. */
#define SOCKET_PROBE_IDLE 60
#define SOCKET_PROBE_INTERVAL 10
#define SOCKET_PROBE_COUNT 6
#define SOCKET_PROBE_TIME \
	((SOCKET_PROBE_IDLE + SOCKET_PROBE_INTERVAL * SOCKET_PROBE_COUNT) * CLOCK_SECOND)

/* Between two looks whether all has arrived. */
#define SOCKET_LOOK_FIRST (CLOCK_MILLISECOND / 4)
#define SOCKET_LOOK_LAST (50 * CLOCK_MILLISECOND)

/* A connection by TCP Fast Open is begun with the first data, or without any when there are none
 * for so long; then it is looked at as often. */
#define SOCKET_BEGIN (10 * CLOCK_MILLISECOND)

struct socket {
	const struct transport *transport;
	bool promised; /* the connection is not known to have been made yet */
	bool marked;   /* sys_mark_end was done to it, and has to be undone: it may be shared */
	int fd;
	int error;     /* the connection reported it while it was made, 0: none; it comes no more */
	bool told_end; /* shutdown(2) was called */
	bool counted;  /* `left` says how much of what has arrived is still wanted */
	size_t left;
	int64_t gone; /* when a peer that hung up counts as vanished; 0: it has not */
	int64_t look; /* how long to wait before looking again */
	struct shortage reading, writing;
};

/*
 * From here on a close is a reset: if this process fails, or is killed, the peer must not take what
 * it has for the whole. Only a clean end gives the polite close back.
 */
static void
socket_arm(const struct socket *socket, bool abort)
{
	struct linger linger = { .l_onoff = abort, .l_linger = 0 };
	if (socket->transport->resets)
		(void)setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static enum io
socket_open(struct stream *stream, struct fault *fault)
{
	struct socket *socket = stream->impl;
	int on = 1;
	(void)fault;
	socket_arm(socket, true);
	if (socket->transport->tcp) {
		/* What the source gave in one piece is sent at once; an urgent byte keeps its
		 * place. */
		(void)setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		(void)setsockopt(socket->fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
	}
	socket->promised = socket->transport->tcp && !sys_is_connected(socket->fd);
	if (socket->promised)
		stream->ragain = clock_after(clock_now(), SOCKET_BEGIN);
	/* Into a socket that blocks, as one that is shared may, a splice does, too. */
	if (!stream->rmessages && !socket->promised && socket->error == 0) {
		stream->splice_from = socket->fd;
		stream->splice_to = sys_is_nonblocking(socket->fd) ? socket->fd : -1;
	}
	if (socket->transport->tcp)
		bulk_init(&stream->bulk, socket->fd);
	if (stream->rmessages)
		socket->marked = sys_mark_end(socket->fd, true);
	return IO_OK;
}

/* Whether the connection has been made, or has failed; if not it is begun. Before that it can
 * neither be read nor shut. */
static bool
socket_is_made(struct socket *socket)
{
	struct iovec nothing = { NULL, 0 };
	if (socket->promised) {
		if (sys_send(socket->fd, &nothing, 1, NULL, 0) == -1 && !sys_would_block(errno) &&
			errno != EINPROGRESS)
			socket->error = errno;
		socket->promised = !sys_is_connected(socket->fd);
	}
	return !socket->promised;
}

static enum io
socket_fail(const struct stream *stream, enum status status, int error, struct fault *fault)
{
	/* So TCP tells of a reset behind the peer's end. */
	if (status == STATUS_RECEIVE && error == EPIPE)
		error = ECONNRESET;
	/* With TCP Fast Open it turns out only now. */
	if (error == ECONNREFUSED) {
		(void)fault_set(fault, STATUS_CONNECT, error, "connect %s", stream->name);
		return IO_FAIL;
	}
	(void)fault_set(fault, status, error,
		status == STATUS_SEND ? "send to %s" : "receive from %s", stream->name);
	return IO_FAIL;
}

/*
 * When only what has arrived is wanted, the kernel is asked once how much that is: a peer that goes
 * on sending does not keep the session going. The pieces are cut to that. (Messages it does not
 * count.)
 */
static int
socket_limit(
	struct stream *stream, const struct iovec *pieces, int count, struct iovec cut[static 2])
{
	struct socket *socket = stream->impl;
	int used = 0;
	if (!socket->counted) {
		socket->counted = true;
		if (!sys_readable(socket->fd, &socket->left))
			socket->left = SIZE_MAX;
	}
	size_t left = socket->left;
	for (int i = 0; i < count && i < 2 && left > 0; i++) {
		cut[used] = pieces[i];
		if (cut[used].iov_len > left)
			cut[used].iov_len = left;
		left -= cut[used++].iov_len;
	}
	return used;
}

/* Whether the user has already seen to it that the connection is probed. */
static bool
socket_keeps_alive(const struct socket *socket)
{
	int on = 0;
	socklen_t size = sizeof on;
	return getsockopt(socket->fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) == 0 && on != 0;
}

static enum io
socket_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct socket *socket = stream->impl;
	struct sys_message message = { .from_length = 0 };
	struct iovec cut[2];
	ssize_t n;
	if (!socket_is_made(socket)) {
		stream->ragain = clock_after(clock_now(), SOCKET_BEGIN);
		return IO_AGAIN;
	}
	if (stream->rmessages) {
		n = sys_receive_message(socket->fd, pieces, count, true, &message);
	} else if (stream->read_error != 0) {
		n = -1;
		errno = stream->read_error;
		stream->read_error = 0;
	} else if (stream->last) {
		count = socket_limit(stream, pieces, count, cut);
		if (count == 0)
			return IO_AGAIN;
		n = sys_receive(socket->fd, cut, count);
	} else {
		n = sys_receive(socket->fd, pieces, count);
	}
	if (n == -1) {
		int error = errno;
		if (sys_would_block(error)) {
			bulk_note(&stream->bulk, 0);
			return IO_AGAIN;
		}
		if (shortage_waits(&socket->reading, error, stream, &stream->ragain))
			return IO_AGAIN;
		return socket_fail(
			stream, STATUS_RECEIVE, socket->error != 0 ? socket->error : error, fault);
	}
	shortage_ends(&socket->reading);
	if (message.truncated) {
		(void)fault_set(fault, STATUS_CUT, 0,
			"receive from %s: a message is longer than %zd bytes", stream->name, n);
		return IO_FAIL;
	}
	if (n == 0 && socket->error != 0)
		return socket_fail(stream, STATUS_RECEIVE, socket->error, fault);
	if (stream->rmessages ? message.end : n == 0) {
		if (socket->transport->tcp && !socket_keeps_alive(socket))
			(void)sys_keep_alive(socket->fd, SOCKET_PROBE_IDLE, SOCKET_PROBE_INTERVAL,
				SOCKET_PROBE_COUNT);
		stream->watch = true;
		return IO_END;
	}
	*got = (size_t)n;
	bulk_note(&stream->bulk, *got);
	socket->left -= socket->counted ? *got : 0;
	return IO_OK;
}

/* The error that waits on the socket, 0 if there is none. */
static int
socket_error(const struct socket *socket)
{
	int error = 0;
	socklen_t size = sizeof error;
	if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		return errno;
	return error;
}

/*
 * The peer has ended its sending, and the line has an error or was hung up. A Unix peer that hangs
 * up is gone at once where a TCP peer lives on until a probe finds out, so the same time is given
 * for standard input to end, or to find nobody to send to.
 */
static enum io
socket_look(struct stream *stream, struct fault *fault)
{
	struct socket *socket = stream->impl;
	struct pollfd look = { .fd = socket->fd };
	int error = socket_error(socket);
	if (error != 0)
		return socket_fail(stream, STATUS_RECEIVE, error, fault);
	if (poll(&look, 1, 0) != 1 || (look.revents & POLLHUP) == 0)
		return IO_OK;
	int64_t now = clock_now();
	if (socket->gone == 0)
		socket->gone = clock_after(now, SOCKET_PROBE_TIME);
	if (now >= socket->gone) {
		(void)fault_set(fault, STATUS_RECEIVE, 0,
			"receive from %s: the peer has gone, and standard input has not ended",
			stream->name);
		return IO_FAIL;
	}
	stream->lagain = socket->gone;
	return IO_AGAIN;
}

static enum io
socket_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct socket *socket = stream->impl;
	*put = 0;
	ssize_t n = -1;
	if (stream->write_error != 0) {
		errno = stream->write_error;
		stream->write_error = 0;
	} else if (count == 0) {
		return socket_look(stream, fault);
	} else {
		n = sys_send(socket->fd, pieces, count, NULL, 0);
	}
	if (n >= 0) {
		shortage_ends(&socket->writing);
		*put = (size_t)n;
		return IO_OK;
	}
	/* In progress: a connection by TCP Fast Open. */
	if (sys_would_block(errno) || errno == EINPROGRESS)
		return IO_AGAIN;
	int error = errno;
	if (shortage_waits(&socket->writing, error, stream, &stream->wagain))
		return IO_AGAIN;
	return socket_fail(stream, STATUS_SEND, error, fault);
}

static enum io
socket_shut(struct stream *stream, struct fault *fault)
{
	struct socket *socket = stream->impl;
	if (!socket_is_made(socket)) {
		stream->wagain = clock_after(clock_now(), SOCKET_BEGIN);
		return IO_AGAIN;
	}
	if (stream->half_close && !socket->told_end) {
		/* ENOTCONN: the connection is gone; how it ended is asked below. */
		if (shutdown(socket->fd, SHUT_WR) == -1 && errno != ENOTCONN)
			return socket_fail(stream, STATUS_SEND, errno, fault);
		socket->told_end = true;
		socket->look = SOCKET_LOOK_FIRST;
	}
	/* A Unix socket's data are in the peer's hands at once, and survive our close. */
	if (!socket->transport->tcp)
		return IO_OK;
	/* That the peer's system has acknowledged everything is no comfort if the peer then threw
	 * the connection away. */
	int error = socket_error(socket);
	if (error == 0)
		error = socket->error;
	if (error != 0)
		return socket_fail(stream, STATUS_SEND, error, fault);
	/* A connection that is over has no peer any more. Asked before the count, which is then
	 * final: the last acknowledgement may come between the two. */
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	int gone = getpeername(socket->fd, (struct sockaddr *)&peer, &size) == -1 ? errno : 0;
	if (!sys_unacknowledged(socket->fd, &stream->unarrived) || stream->unarrived == 0)
		return IO_OK;
	if (gone != 0)
		return socket_fail(stream, STATUS_SEND, gone, fault);
	/* There is no event for "all acknowledged". */
	stream->wagain = clock_after(clock_now(), socket->look);
	socket->look = clock_earlier(socket->look * 2, SOCKET_LOOK_LAST);
	return IO_AGAIN;
}

static void
socket_close(struct stream *stream)
{
	struct socket *socket = stream->impl;
	if (stream->clean)
		socket_arm(socket, false);
	if (socket->marked)
		(void)sys_mark_end(socket->fd, false);
	bulk_end(&stream->bulk);
	(void)sys_close(&socket->fd);
	free(socket);
}

static const struct stream_ops socket_ops = {
	.open = socket_open,
	.read = socket_read,
	.write = socket_write,
	.shut = socket_shut,
	.close = socket_close,
};

bool
socket_init(struct stream *stream, const struct transport *transport, int fd, int error, char *name,
	struct fault *fault)
{
	struct socket *socket = calloc(1, sizeof *socket);
	if (socket == NULL || name == NULL) {
		free(socket);
		free(name);
		(void)sys_close(&fd);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "connection");
	}
	*socket = (struct socket){
		.transport = transport, .fd = fd, .error = error, .look = SOCKET_LOOK_FIRST
	};
	stream_init(stream, &socket_ops, name, socket);
	stream->rfd = stream->wfd = fd;
	stream->rmessages = transport->message_max > 0;
	stream->wmessage_max = transport->message_max;
	return true;
}
