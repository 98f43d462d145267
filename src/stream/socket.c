/* The stream of a connected socket; see socket.h. */
#include "stream/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "stream/backoff.h"
#include "sys/sys.h"

/* Keep-alive probes: the first after 59 seconds without data, then one every ten seconds. The relay
 * turns them on a second after the first end, so that a vanished peer is noticed within two
 * minutes. */
#define SOCKET_PROBE_IDLE 59
#define SOCKET_PROBE_INTERVAL 10
#define SOCKET_PROBE_COUNT 6
#define SOCKET_PROBE_TIME \
	((SOCKET_PROBE_IDLE + SOCKET_PROBE_INTERVAL * SOCKET_PROBE_COUNT) * CLOCK_SECOND)

/* The interval of checks whether all has arrived; it doubles. */
#define SOCKET_LOOK_FIRST (CLOCK_MILLISECOND / 4)
#define SOCKET_LOOK_LAST (50 * CLOCK_MILLISECOND)

/* TCP Fast Open connects with the first data, or without data after this time; then the interval of
 * checks whether the connection is made. */
#define SOCKET_BEGIN (10 * CLOCK_MILLISECOND)

struct socket {
	const struct transport *transport;
	unsigned char facts; /* of enum socket_facts */
	bool promised;       /* TCP Fast Open: not known to be connected yet */
	bool marked;         /* sys_mark_end has to be undone: the socket may be shared */
	int fd;
	int error; /* of the connection while it was made; the kernel does not repeat it; 0: none */
	bool ended;   /* the peer has ended its sending */
	bool shut;    /* shutdown(2) was called */
	bool arrived; /* at the last check all was acknowledged, including the end if it is shut */
	bool counted; /* `left` is set */
	size_t left;  /* while draining: bytes that had arrived and are not read yet */
	int64_t gone; /* when a peer that hung up counts as vanished; 0: it has not hung up */
	int64_t look; /* the next interval of the checks after shut */
	struct backoff reading, writing;
	struct lowat lowat;
};

static enum io
socket_open(struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct socket *socket = stream->impl;
	(void)pollset, (void)fault;
	if ((socket->facts & SOCKET_HAS_OPTIONS) == 0)
		transport_set_options(socket->transport, socket->fd);
	socket->promised = (socket->facts & SOCKET_MADE) == 0 && socket->transport->tcp &&
		!sys_is_connected(socket->fd);
	if (socket->promised)
		stream->read.at = clock_after(now, SOCKET_BEGIN);
	/* splice(2) into a blocking socket, such as a shared one, would block. */
	if (!stream->caps.messages && !socket->promised && socket->error == 0) {
		stream->read.splice = socket->fd;
		if ((socket->facts & SOCKET_OWN) != 0 || sys_is_nonblocking(socket->fd))
			stream->write.splice = socket->fd;
	}
	if (socket->transport->tcp) {
		lowat_init(&socket->lowat, socket->fd);
		stream->caps.lowat = &socket->lowat;
	}
	if (stream->caps.messages)
		socket->marked = sys_mark_end(socket->fd, true);
	return IO_OK;
}

/* Whether the connection has been made, or has failed; if not, starts it. Before that it can
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

/* Whether the error ends the connection, rather than the call. */
static bool
socket_is_broken(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT ||
		error == EHOSTUNREACH || error == ENETUNREACH;
}

static enum io
socket_fail(struct stream *stream, enum status status, int error, struct fault *fault)
{
	/* EPIPE is what follows a reset. */
	if (socket_is_broken(error) && (error != EPIPE || stream->stats.broken == 0))
		stream->stats.broken = error;
	/* TCP reports a reset after the peer's FIN as EPIPE. */
	if (status == STATUS_RECEIVE && error == EPIPE)
		error = ECONNRESET;
	/* A refusal of TCP Fast Open. */
	if (error == ECONNREFUSED) {
		(void)fault_set(fault, STATUS_CONNECT, error, "connect %s", stream->name);
		return IO_FAIL;
	}
	(void)fault_set(fault, status, error,
		status == STATUS_SEND ? "send to %s" : "receive from %s", stream->name);
	return IO_FAIL;
}

/*
 * While draining, a peer that goes on sending must not keep the session alive: asks the kernel once
 * how much has arrived, and cuts the pieces to what is left of it. (FIONREAD counts no messages.)
 */
static int
socket_limit(
	struct stream *stream, const struct iovec *pieces, int count, struct iovec cut[static 2])
{
	struct socket *socket = stream->impl;
	if (!socket->counted) {
		socket->counted = true;
		if (!sys_readable(socket->fd, &socket->left))
			socket->left = SIZE_MAX;
	}
	return stream_cut(pieces, count, socket->left, cut, 2);
}

void
socket_probe(int fd)
{
	int on = 0;
	socklen_t size = sizeof on;
	/* Keep the user's times. */
	if (getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) == 0 && on == 0)
		(void)sys_keep_alive(
			fd, SOCKET_PROBE_IDLE, SOCKET_PROBE_INTERVAL, SOCKET_PROBE_COUNT);
}

static void
socket_watch(struct stream *stream)
{
	const struct socket *socket = stream->impl;
	if (socket->transport->tcp)
		socket_probe(socket->fd);
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
		stream->read.at = clock_after(clock_now(), SOCKET_BEGIN);
		return IO_AGAIN;
	}
	if (stream->caps.messages) {
		n = -1;
		if (socket->transport->names == TRANSPORT_INET ||
			stream_has_space(stream, socket->fd, stream_total(pieces, count)))
			n = sys_receive_message(socket->fd, pieces, count, true, &message);
	} else if (stream->read.error != 0) {
		n = -1;
		errno = stream->read.error;
		stream->read.error = 0;
	} else if (stream->read.draining) {
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
			stream_note_read(stream, 0);
			return IO_AGAIN;
		}
		if (backoff_waits(&socket->reading, error, stream, &stream->read.at))
			return IO_AGAIN;
		return socket_fail(
			stream, STATUS_RECEIVE, socket->error != 0 ? socket->error : error, fault);
	}
	backoff_ends(&socket->reading);
	if (message.truncated) {
		(void)fault_set(fault, STATUS_CUT, 0,
			"receive from %s: a message is longer than %zd bytes", stream->name, n);
		return IO_FAIL;
	}
	if (n == 0 && socket->error != 0)
		return socket_fail(stream, STATUS_RECEIVE, socket->error, fault);
	if (stream->caps.messages ? message.end : n == 0) {
		socket->ended = true;
		stream->hangup.fd = socket->fd;
		return IO_END;
	}
	*got = (size_t)n;
	stream_note_read(stream, *got);
	socket->left -= socket->counted ? *got : 0;
	return IO_OK;
}

/* Whether the connection failed after both sides had finished: the peer had ended its sending, and
 * a keep-alive probe found it gone. A close with unread data resets at once instead. */
static bool
socket_is_finished(const struct socket *socket)
{
	return socket->ended && socket->transport->tcp && sys_ended_by_probe(socket->fd);
}

/*
 * The peer has ended its sending, and poll(2) reports an error or a hang-up. A Unix peer that
 * closes is gone at once, where a TCP peer lives on until a keep-alive probe fails; give standard
 * input the same time to end. Data that a Unix peer left unread is an error (ECONNRESET). IO_END:
 * the peer is gone, and nothing is lost.
 */
static enum io
socket_look(struct stream *stream, struct fault *fault)
{
	struct socket *socket = stream->impl;
	int error = transport_pending_error(socket->fd);
	if (error != 0)
		return socket_is_finished(socket)
			? IO_END
			: socket_fail(stream, STATUS_RECEIVE, error, fault);
	if ((pollset_look(socket->fd, 0) & POLLHUP) == 0) {
		stream->hangup.fd = -1;
		return IO_OK;
	}
	int64_t now = clock_now();
	if (socket->gone == 0)
		socket->gone = clock_after(now, SOCKET_PROBE_TIME);
	if (now >= socket->gone)
		return IO_END;
	stream->hangup.at = socket->gone;
	return IO_AGAIN;
}

static enum io
socket_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct socket *socket = stream->impl;
	*put = 0;
	ssize_t n = -1;
	if (stream->write.error != 0) {
		errno = stream->write.error;
		stream->write.error = 0;
	} else if (count == 0) {
		return socket_look(stream, fault);
	} else {
		n = sys_send(socket->fd, pieces, count, NULL, 0);
	}
	if (n >= 0) {
		backoff_ends(&socket->writing);
		*put = stream->caps.message_max > 0 ? 1 : (size_t)n;
		return IO_OK;
	}
	/* EINPROGRESS: TCP Fast Open. */
	if (sys_would_block(errno) || errno == EINPROGRESS)
		return IO_AGAIN;
	int error = errno;
	if (backoff_waits(&socket->writing, error, stream, &stream->write.at))
		return IO_AGAIN;
	if (socket->error != 0)
		return socket_fail(stream, STATUS_RECEIVE, socket->error, fault);
	return socket_fail(stream, STATUS_SEND, error, fault);
}

/* Without acknowledgements, a write has arrived in the queue of the peer, which survives close(2);
 * but a peer that closed with data unread has reset the connection. The kernel reports that once.
 */
static enum io
socket_check_arrival(struct stream *stream, struct fault *fault)
{
	const struct socket *socket = stream->impl;
	int broken = stream->stats.broken;
	int error = broken != 0 && broken != EPIPE ? broken : transport_pending_error(socket->fd);
	return error == 0 ? IO_OK : socket_fail(stream, STATUS_RECEIVE, error, fault);
}

/* Whether the peer's system has acknowledged all that was sent, as far as is known. */
static bool
socket_has_arrived(struct stream *stream)
{
	struct socket *socket = stream->impl;
	bool known = sys_unacknowledged(socket->fd, &stream->stats.unarrived);
	socket->arrived = known && stream->stats.unarrived == 0;
	return !known || socket->arrived;
}

static enum io
socket_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct socket *socket = stream->impl;
	if (!socket_is_made(socket)) {
		stream->write.at = clock_after(clock_now(), SOCKET_BEGIN);
		return IO_AGAIN;
	}
	if (half_close && !socket->shut) {
		/* ENOTCONN: the connection was reset; SO_ERROR below has the cause. */
		if (shutdown(socket->fd, SHUT_WR) == -1 && errno != ENOTCONN)
			return socket_fail(stream, STATUS_SEND, errno, fault);
		socket->shut = true;
		socket->look = SOCKET_LOOK_FIRST;
	}
	if (!socket->transport->tcp)
		return socket_check_arrival(stream, fault);
	/* The peer may reset the connection after its system acknowledged everything. */
	int error = transport_pending_error(socket->fd);
	if (error != 0) {
		(void)sys_unacknowledged(socket->fd, &stream->stats.unarrived);
		return socket_is_finished(socket) ? IO_OK
						  : socket_fail(stream, STATUS_SEND, error, fault);
	}
	if (socket->error != 0)
		return socket_fail(stream, STATUS_RECEIVE, socket->error, fault);
	if (socket_has_arrived(stream))
		return IO_OK;
	/* A closed connection has no peer name. Check before the count, which is then final: the
	 * last acknowledgement may arrive between the two. */
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	int gone = getpeername(socket->fd, (struct sockaddr *)&peer, &size) == -1 ? errno : 0;
	if (gone != 0 && socket_has_arrived(stream))
		return IO_OK;
	if (gone != 0)
		return socket_fail(stream, STATUS_SEND, gone, fault);
	/* poll(2) has no event for "all acknowledged". */
	stream->write.at = clock_after(clock_now(), socket->look);
	socket->look = clock_earlier(socket->look * 2, SOCKET_LOOK_LAST);
	return IO_AGAIN;
}

static void
socket_close(struct stream *stream, bool clean)
{
	struct socket *socket = stream->impl;
	/* When both sides have ended and all is acknowledged, close(2) sends nothing, whatever
	 * SO_LINGER is. */
	if ((clean || stream->stats.parted) && !(socket->ended && socket->shut && socket->arrived))
		(void)transport_abort_on_close(socket->transport, socket->fd, false);
	if (socket->marked)
		(void)sys_mark_end(socket->fd, false);
	lowat_end(&socket->lowat);
	(void)sys_close(&socket->fd);
}

static const struct stream_ops socket_ops = {
	.open = socket_open,
	.read = socket_read,
	.write = socket_write,
	.shut = socket_shut,
	.watch = socket_watch,
	.close = socket_close,
};

struct stream *
socket_new(const struct transport *transport, int fd, unsigned facts, int error, char *name,
	struct fault *fault)
{
	struct stream *stream = stream_new(&socket_ops, name, sizeof(struct socket), fault);
	if (stream == NULL) {
		(void)sys_close(&fd);
		return NULL;
	}
	*(struct socket *)stream->impl = (struct socket){ .transport = transport,
		.facts = (unsigned char)facts,
		.fd = fd,
		.error = error,
		.look = SOCKET_LOOK_FIRST };
	stream->read.fd = stream->write.fd = fd;
	stream->caps.messages = transport->message_max > 0;
	stream->caps.message_max = transport_message_max(transport, fd);
	return stream;
}
