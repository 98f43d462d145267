/* The stream of a datagram socket; see datagram.h. */
#include "stream/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/shortage.h"
#include "sys/sys.h"

/* A read takes several, each into its own slot, which has room for the largest there is. */
#define DATAGRAM_SLOT ((size_t)65536)
#define DATAGRAM_SLOTS 16

/* A write takes so many. */
#define DATAGRAM_BATCH 1024

struct datagram {
	int fd;
	bool inet; /* none is larger than a slot */
	bool udp;
	bool joined;            /* the kernel joins what comes together; to be taken back */
	int segments;           /* sys_segments, as long as it is not refused */
	struct iovec *messages; /* owned: what the last read brought */
	size_t count, capacity;
	enum datagram_peer whose;
	const struct access *access; /* who may be anybody; NULL: everybody */
	struct address peer;         /* where to send, … */
	struct address own;   /* … and from which of our addresses; not for a connected socket */
	struct address heard; /* of anybody's: who sent the last one, … */
	char *sender;         /* … owned: and as text */
	struct shortage reading, writing;
};

static enum io
datagram_open(struct stream *stream, struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	(void)fault;
	if (datagram->udp && !stream->single)
		datagram->joined = sys_join_received(datagram->fd, true);
	if (datagram->udp && datagram->whose == DATAGRAM_CONNECTED)
		datagram->segments = sys_segments(datagram->fd);
	if (datagram->whose == DATAGRAM_CONNECTED)
		stream->wbatch = DATAGRAM_BATCH;
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
		return access_permits(datagram->access, from);
	case DATAGRAM_CONNECTED:
		if (datagram->peer.storage.ss_family == AF_UNIX)
			return true;
		break;
	case DATAGRAM_FIRST:
		break;
	}
	return address_equal(from, &datagram->peer);
}

/* Adds a message to those of this read. */
static bool
datagram_add(struct datagram *datagram, unsigned char *bytes, size_t n)
{
	if (datagram->count == datagram->capacity) {
		size_t capacity = datagram->capacity == 0 ? 64 : datagram->capacity * 2;
		struct iovec *longer = realloc(datagram->messages, capacity * sizeof *longer);
		if (longer == NULL)
			return false;
		datagram->messages = longer;
		datagram->capacity = capacity;
	}
	datagram->messages[datagram->count++] = (struct iovec){ bytes, n };
	return true;
}

/* Adds what came as one, and may be several. */
static bool
datagram_split(struct datagram *datagram, unsigned char *bytes, const struct sys_message *message)
{
	size_t left = message->length;
	while (message->segment > 0 && left > message->segment) {
		if (!datagram_add(datagram, bytes, message->segment))
			return false;
		bytes += message->segment;
		left -= message->segment;
	}
	return datagram_add(datagram, bytes, left);
}

/* Receives up to DATAGRAM_SLOTS at once: how many, -1 with errno. */
static int
datagram_receive(struct stream *stream, const struct iovec *space, size_t slot,
	struct sys_message messages[static DATAGRAM_SLOTS])
{
	const struct datagram *datagram = stream->impl;
	size_t slots = space->iov_len / slot;
	if (slots > DATAGRAM_SLOTS)
		slots = DATAGRAM_SLOTS;
	/* Of anybody's the sender of the last is to be answered: one at a time. */
	if (stream->single || datagram->whose == DATAGRAM_ANY)
		slots = 1;
	return sys_receive_messages(datagram->fd, space->iov_base, slot, messages, (int)slots);
}

/* Answers go to whoever was heard last, and what comes is told to be from there. */
static void
datagram_hear(struct stream *stream, const struct address *from)
{
	struct datagram *datagram = stream->impl;
	if (datagram->sender == NULL || !address_equal(from, &datagram->heard)) {
		free(datagram->sender);
		datagram->sender = address_print(from);
		datagram->heard = *from;
		stream->from = datagram->sender;
	}
	datagram->peer = *from;
}

static enum io
datagram_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	struct sys_message messages[DATAGRAM_SLOTS];
	size_t slot =
		datagram->inet && pieces->iov_len > DATAGRAM_SLOT ? DATAGRAM_SLOT : pieces->iov_len;
	(void)count;
	*got = datagram->count = 0;
	int received = datagram_receive(stream, pieces, slot, messages);
	if (received == -1) {
		int error = errno;
		if (sys_would_block(error) ||
			shortage_waits(&datagram->reading, error, stream, &stream->ragain))
			return IO_AGAIN;
		return datagram_fail(stream, STATUS_RECEIVE, error, fault);
	}
	shortage_ends(&datagram->reading);
	for (int i = 0; i < received; i++) {
		const struct sys_message *message = &messages[i];
		struct address from = { message->from, message->from_length };
		if (!datagram_is_wanted(datagram, &from)) {
			stream->ignored++;
			continue;
		}
		if (message->truncated) {
			(void)fault_set(fault, STATUS_CUT, 0,
				"receive from %s: a datagram is longer than %zu bytes",
				stream->name, message->length);
			return IO_FAIL;
		}
		if (!datagram_split(datagram, (unsigned char *)pieces->iov_base + (size_t)i * slot,
			    message)) {
			(void)fault_set(
				fault, STATUS_MEMORY, ENOMEM, "receive from %s", stream->name);
			return IO_FAIL;
		}
		*got += message->length;
		datagram->own = (struct address){ message->at, message->at_length };
		if (datagram->whose == DATAGRAM_ANY)
			datagram_hear(stream, &from);
	}
	if (datagram->count == 0) {
		/* Not "nothing there": the peer's own may be right behind. */
		stream->ragain = clock_now();
		return IO_AGAIN;
	}
	stream->messages = datagram->messages;
	stream->message_count = datagram->count;
	return IO_OK;
}

/* Sends several; how many, -1 with errno. */
static int
datagram_send(struct datagram *datagram, const struct iovec *pieces, int count)
{
	int taken = sys_send_messages(datagram->fd, pieces, count, datagram->segments);
	/* A device, or a path, that cannot have them joined; older kernels take fewer. */
	while (taken == -1 && datagram->segments > 0 &&
		(errno == EINVAL || errno == EIO || errno == EMSGSIZE || errno == EOPNOTSUPP)) {
		datagram->segments = datagram->segments > 64 ? 64 : 0;
		taken = sys_send_messages(datagram->fd, pieces, count, datagram->segments);
	}
	return taken;
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
	int taken = 1;
	if (count > 1)
		taken = datagram_send(datagram, pieces, count);
	else if (sys_send_from(datagram->fd, pieces, 1, to, peer->length, &datagram->own.storage,
			 to != NULL ? datagram->own.length : 0) == -1)
		taken = -1;
	if (taken != -1) {
		shortage_ends(&datagram->writing);
		stream->wtaken = (size_t)taken;
		*put = stream_total(pieces, taken);
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
	if (datagram->joined)
		(void)sys_join_received(datagram->fd, false);
	(void)sys_close(&datagram->fd);
	free(datagram->sender);
	free(datagram->messages);
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
	*datagram = (struct datagram){
		.fd = fd,
		.inet = transport->names == TRANSPORT_INET,
		.udp = transport->names == TRANSPORT_INET && transport->protocol == -1,
		.whose = whose,
		.peer = *peer,
	};
	stream_init(stream, &datagram_ops, name, datagram);
	stream->rfd = stream->wfd = fd;
	stream->endless = true;
	stream->rmessages = true;
	stream->wmessage_max = transport->message_max;
	return true;
}

void
datagram_guard(struct stream *stream, const struct access *access)
{
	struct datagram *datagram = stream->impl;
	datagram->access = access;
}
