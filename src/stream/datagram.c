/* The stream of a datagram socket; see datagram.h. */
#include "stream/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/shortage.h"
#include "sys/sys.h"

struct datagram {
	int fd;
	enum datagram_peer whose;
	struct address peer; /* where to send, … */
	struct address own;  /* … and from which of our addresses; not for a connected socket */
	struct shortage reading, writing;
};

static enum io
datagram_open(struct stream *stream, struct fault *fault)
{
	(void)stream;
	(void)fault;
	return IO_OK;
}

/*
 * An error that the network sent back for an earlier datagram comes with the next call, whichever
 * direction that is: that there is nobody, or that a datagram was too long for the way.
 */
static enum io
datagram_fail(const struct stream *stream, enum status status, int error, struct fault *fault)
{
	const struct datagram *datagram = stream->impl;
	int mtu;
	switch (error) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENOPROTOOPT:
		(void)fault_set(fault, STATUS_CONNECT, error, "connect %s", stream->name);
		break;
	case EMSGSIZE:
		if (sys_path_mtu(datagram->fd, &mtu))
			(void)fault_set(fault, STATUS_SEND, 0,
				"send to %s: %s (the path takes packets of %d bytes)", stream->name,
				strerror(error), mtu);
		else
			(void)fault_set(fault, STATUS_SEND, error, "send to %s", stream->name);
		break;
	default:
		(void)fault_set(fault, status, error,
			status == STATUS_SEND ? "send to %s" : "receive from %s", stream->name);
		break;
	}
	return IO_FAIL;
}

/*
 * The kernel keeps others out of a connected socket, but for what came between its bind and its
 * connect. (Not so for Unix sockets, where one socket can have several paths to its name.)
 */
static bool
datagram_is_wanted(const struct datagram *datagram, const struct address *from)
{
	switch (datagram->whose) {
	case DATAGRAM_ANY:
		return true;
	case DATAGRAM_CONNECTED:
		if (datagram->peer.storage.ss_family == AF_UNIX)
			return true;
		break;
	case DATAGRAM_FIRST:
		break;
	}
	return address_equal(from, &datagram->peer);
}

static enum io
datagram_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	struct sys_message message = { .from_length = 0 };
	ssize_t n = sys_receive_message(datagram->fd, pieces, count, false, &message);
	if (n == -1) {
		if (sys_would_block(errno))
			return IO_AGAIN;
		int error = errno;
		if (shortage_waits(&datagram->reading, error, stream, &stream->ragain))
			return IO_AGAIN;
		return datagram_fail(stream, STATUS_RECEIVE, error, fault);
	}
	shortage_ends(&datagram->reading);
	struct address from = { message.from, message.from_length };
	if (!datagram_is_wanted(datagram, &from)) {
		/* Not "nothing there": the peer's own may be right behind. */
		stream->ignored++;
		stream->ragain = clock_now();
		return IO_AGAIN;
	}
	if (message.truncated) {
		(void)fault_set(fault, STATUS_CUT, 0,
			"receive from %s: a datagram is longer than %zd bytes", stream->name, n);
		return IO_FAIL;
	}
	datagram->own = (struct address){ message.at, message.at_length };
	if (datagram->whose == DATAGRAM_ANY)
		datagram->peer = from;
	*got = (size_t)n;
	return IO_OK;
}

static enum io
datagram_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	const struct address *peer = &datagram->peer;
	const struct sockaddr *to = NULL;
	*put = 0;
	if (count == 0)
		return IO_OK;
	if (datagram->whose != DATAGRAM_CONNECTED) {
		if (peer->length <= offsetof(struct sockaddr, sa_data)) {
			(void)fault_set(fault, STATUS_SEND, 0,
				"send to %s: the peer has no address to answer to", stream->name);
			return IO_FAIL;
		}
		to = (const struct sockaddr *)&peer->storage;
	}
	ssize_t n = sys_send_from(datagram->fd, pieces, count, to, peer->length,
		&datagram->own.storage, to != NULL ? datagram->own.length : 0);
	if (n >= 0) {
		shortage_ends(&datagram->writing);
		*put = (size_t)n;
		return IO_OK;
	}
	int error = errno;
	if (sys_would_block(error)) {
		/* For an unconnected Unix socket poll looks at our own buffer only: a timer. */
		if (to != NULL)
			stream->wagain = clock_after(clock_now(), SHORTAGE_PAUSE);
		return IO_AGAIN;
	}
	if (shortage_waits(&datagram->writing, error, stream, &stream->wagain))
		return IO_AGAIN;
	return datagram_fail(stream, STATUS_SEND, error, fault);
}

/* A datagram socket has no end to tell: shutdown(2) would only deafen it. */
static enum io
datagram_shut(struct stream *stream, struct fault *fault)
{
	(void)stream;
	(void)fault;
	return IO_OK;
}

static void
datagram_close(struct stream *stream)
{
	struct datagram *datagram = stream->impl;
	(void)sys_close(&datagram->fd);
	free(datagram);
}

static const struct stream_ops datagram_ops = {
	.open = datagram_open,
	.read = datagram_read,
	.write = datagram_write,
	.shut = datagram_shut,
	.close = datagram_close,
};

bool
datagram_init(struct stream *stream, const struct transport *transport, int fd, char *name,
	enum datagram_peer whose, const struct address *peer, struct fault *fault)
{
	struct datagram *datagram = calloc(1, sizeof *datagram);
	if (datagram == NULL || name == NULL) {
		free(datagram);
		free(name);
		(void)sys_close(&fd);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "datagram socket");
	}
	*datagram = (struct datagram){ .fd = fd, .whose = whose, .peer = *peer };
	stream_init(stream, &datagram_ops, name, datagram);
	stream->rfd = stream->wfd = fd;
	stream->endless = true;
	stream->rmessages = true;
	stream->wmessage_max = transport->message_max;
	return true;
}
