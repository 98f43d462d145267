/* The stream of a datagram socket; see datagram.h. */
#include "stream/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "stream/backoff.h"
#include "stream/batch.h"
#include "stream/reach.h"
#include "sys/sys.h"

/* The most datagrams of one write. */
#define DATAGRAM_BATCH 1024

struct datagram {
	int fd;
	bool inet; /* no datagram is larger than a slot */
	bool udp;
	bool single;            /* a read returns one message only */
	bool joined;            /* UDP GRO is on, and to be turned off at the end */
	int segments;           /* most segments of one send (UDP GSO); 0 once refused */
	struct iovec *messages; /* owned: those of the last read */
	size_t count, capacity;
	enum datagram_peer whose;
	struct address peer;      /* the destination */
	struct address own;       /* the source address of answers; for DATAGRAM_FIRST */
	struct address last_from; /* the sender of the last datagram; for DATAGRAM_GROUP */
	char *sender;             /* owned: `last_from` as text */
	struct reach reach;
	struct backoff reading, writing;
};

/* Sets up a new socket. */
static void
datagram_prepare(struct stream *stream)
{
	struct datagram *datagram = stream->impl;
	stream->read.fd = stream->write.fd = datagram->fd;
	if (datagram->udp && !datagram->single)
		datagram->joined = sys_join_received(datagram->fd, true);
	if (datagram->udp && datagram->whose == DATAGRAM_CONNECTED)
		datagram->segments = sys_segments(datagram->fd);
	if (datagram->whose == DATAGRAM_CONNECTED)
		stream->caps.batch = DATAGRAM_BATCH;
}

static enum io
datagram_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	(void)pollset, (void)now, (void)fault;
	datagram_prepare(stream);
	return IO_OK;
}

/* The network's errors for earlier datagrams, such as ICMP "port unreachable" or "too big", are
 * returned by the next call of either direction. */
static enum io
datagram_fail(const struct stream *stream, enum status status, int error, struct fault *fault)
{
	const struct datagram *datagram = stream->impl;
	int mtu;
	if (error == EMSGSIZE && sys_path_mtu(datagram->fd, &mtu))
		return IO_FAULT(fault, STATUS_SEND, 0,
			"send to %s: %s (the path takes packets of %d bytes)", stream->name,
			strerror(error), mtu);
	if (error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
		error == EHOSTDOWN || error == ENOPROTOOPT)
		return IO_FAULT(fault, STATUS_CONNECT, error, "connect %s", stream->name);
	if (error == EMSGSIZE || status == STATUS_SEND)
		return IO_FAULT(fault, STATUS_SEND, error, "send to %s", stream->name);
	return IO_FAULT(fault, status, error, "receive from %s", stream->name);
}

/* The peer refused, or is unreachable: goes on with its next address, IO_AGAIN, or fails. */
static enum io
datagram_refused(
	struct stream *stream, enum status status, int error, int64_t *again, struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	if (reach_redial(&datagram->reach, stream, &datagram->fd, error, fault) != IO_OK)
		return fault_is_set(fault) ? IO_FAIL : datagram_fail(stream, status, error, fault);
	datagram->peer = datagram->reach.dial->peer;
	datagram_prepare(stream);
	stream->write.reopened++;
	*again = clock_now();
	return IO_AGAIN;
}

/* IO_OK when everything was sent again. */
static enum io
datagram_repeat(struct stream *stream, int64_t *again, struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	if (reach_repeat(&datagram->reach, datagram->fd))
		return IO_OK;
	int error = errno;
	if (!sys_would_block(error) && !backoff_waits(&datagram->writing, error, stream, again))
		return datagram_refused(stream, STATUS_SEND, error, again, fault);
	*again = clock_after(clock_now(), BACKOFF_PAUSE);
	return IO_AGAIN;
}

/* A connected socket receives from its peer only, but may have datagrams that arrived between bind
 * and connect. A Unix socket can have several path names, so its sender is not compared. */
static bool
datagram_is_wanted(const struct datagram *datagram, const struct address *from)
{
	return datagram->whose == DATAGRAM_GROUP ||
		(datagram->whose == DATAGRAM_CONNECTED &&
			datagram->peer.storage.ss_family == AF_UNIX) ||
		address_equal(from, &datagram->peer);
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

/* Receives into the first piece. False with errno. */
static bool
datagram_receive(struct stream *stream, struct batch *batch, const struct iovec *space)
{
	const struct datagram *datagram = stream->impl;
	size_t slot = datagram->inet && space->iov_len > BATCH_SLOT ? BATCH_SLOT : space->iov_len;
	size_t slots = space->iov_len / slot;
	/* All messages of a read have the same sender. */
	if (datagram->single || datagram->whose == DATAGRAM_GROUP)
		slots = 1;
	return (datagram->inet || stream_has_space(stream, datagram->fd, slot)) &&
		batch_receive(batch, datagram->fd, space->iov_base, slot, slots);
}

/* Stores the sender of the message that is read. */
static void
datagram_note_sender(struct stream *stream, const struct address *from)
{
	struct datagram *datagram = stream->impl;
	if (datagram->sender == NULL || !address_equal(from, &datagram->last_from)) {
		free(datagram->sender);
		datagram->sender = address_print(from);
		datagram->last_from = *from;
		stream->loan.from = datagram->sender;
	}
}

/* Counts a datagram of another sender; the first one is reported. */
static void
datagram_ignore(struct stream *stream, const struct address *from)
{
	const struct datagram *datagram = stream->impl;
	if (stream->stats.ignored++ > 0 || datagram->whose != DATAGRAM_FIRST)
		return;
	char *other = address_print(from);
	event_emit(&(struct event){
		.kind = EVENT_sender_ignored, .object = other, .peer = stream->name });
	free(other);
}

static enum io
datagram_read_failed(struct stream *stream, int error, struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	if (sys_would_block(error) ||
		backoff_waits(&datagram->reading, error, stream, &stream->read.at))
		return IO_AGAIN;
	if (reach_survives_read(&datagram->reach, stream, error))
		return IO_AGAIN;
	return datagram_refused(stream, STATUS_RECEIVE, error, &stream->read.at, fault);
}

/* Whether the sender of a message is an accepted one. */
static bool
datagram_accepts(struct stream *stream, const struct sys_message *message)
{
	struct datagram *datagram = stream->impl;
	const struct address from = { { message->from }, message->from_length };
	if (!datagram_is_wanted(datagram, &from)) {
		datagram_ignore(stream, &from);
		return false;
	}
	if (datagram->whose == DATAGRAM_FIRST)
		datagram->own = (struct address){ { message->at }, message->at_length };
	if (datagram->whose == DATAGRAM_GROUP)
		datagram_note_sender(stream, &from);
	return true;
}

/* Adds a received datagram to those of this read. */
static bool
datagram_take(struct stream *stream, const struct batch_datagram *one, struct fault *fault)
{
	if (one->message->truncated)
		return fault_set(fault, STATUS_CUT, 0,
			"receive from %s: a datagram is longer than %zu bytes", stream->name,
			one->length);
	return datagram_add(stream->impl, one->bytes, one->length) ||
		fault_set(fault, STATUS_MEMORY, ENOMEM, "receive from %s", stream->name);
}

static enum io
datagram_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	struct batch batch;
	(void)count;
	*got = datagram->count = 0;
	enum io repeated = datagram_repeat(stream, &stream->read.at, fault);
	if (repeated != IO_OK)
		return repeated;
	if (!datagram_receive(stream, &batch, pieces))
		return datagram_read_failed(stream, errno, fault);
	backoff_ends(&datagram->reading);
	bool accepted = false;
	for (struct batch_datagram one; batch_next(&batch, &one);) {
		if (one.first)
			accepted = datagram_accepts(stream, one.message);
		if (!accepted)
			continue;
		if (!datagram_take(stream, &one, fault))
			return IO_FAIL;
		*got += one.length;
	}
	if (datagram->count == 0) {
		/* A time, since more datagrams may be queued: IO_AGAIN without one is the end while
		 * draining. */
		stream->read.at = clock_now();
		return IO_AGAIN;
	}
	reach_received(&datagram->reach);
	stream->loan.messages = datagram->messages;
	stream->loan.count = datagram->count;
	return IO_OK;
}

/* Sends several; the number sent, or -1 with errno. */
static int
datagram_send(struct datagram *datagram, const struct iovec *pieces, int count)
{
	int taken = sys_send_messages(datagram->fd, pieces, count, datagram->segments);
	/* UDP GSO is not supported by the device or path; older kernels take fewer segments. */
	while (taken == -1 && datagram->segments > 0 &&
		(errno == EINVAL || errno == EIO || errno == EMSGSIZE || errno == EOPNOTSUPP)) {
		datagram->segments = datagram->segments > 64 ? 64 : 0;
		taken = sys_send_messages(datagram->fd, pieces, count, datagram->segments);
	}
	return taken;
}

/* Sends several, or one; the number sent, or -1 with errno. */
static int
datagram_try(struct datagram *datagram, const struct iovec *pieces, int count)
{
	const struct address *peer = &datagram->peer;
	bool connected = datagram->whose == DATAGRAM_CONNECTED;
	if (count > 1)
		return datagram_send(datagram, pieces, count);
	const struct sockaddr *to = connected ? NULL : (const struct sockaddr *)&peer->storage;
	ssize_t sent = sys_send_from(datagram->fd, pieces, 1, to, connected ? 0 : peer->length,
		&datagram->own.storage, connected ? 0 : datagram->own.length);
	return sent == -1 ? -1 : 1;
}

static enum io
datagram_sent(struct stream *stream, const struct iovec *pieces, int taken, size_t *put)
{
	struct datagram *datagram = stream->impl;
	backoff_ends(&datagram->writing);
	reach_sent(&datagram->reach, pieces, taken);
	*put = (size_t)taken;
	return IO_OK;
}

/* The network is unreachable: tries again, and drops the datagram if it has worked before. */
static enum io
datagram_drop(struct stream *stream, const struct iovec *pieces, int count, int error, size_t *put,
	struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	int taken = datagram_try(datagram, pieces, count);
	int again = taken != -1 ? 0 : errno;
	if (!reach_survives_send(&datagram->reach, stream, pieces->iov_len, error, again))
		return datagram_refused(
			stream, STATUS_SEND, again != 0 ? again : error, &stream->write.at, fault);
	if (taken != -1)
		return datagram_sent(stream, pieces, taken, put);
	*put = 1;
	return IO_OK;
}

static enum io
datagram_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct datagram *datagram = stream->impl;
	bool connected = datagram->whose == DATAGRAM_CONNECTED;
	*put = 0;
	if (count == 0)
		return IO_OK;
	if (!connected && datagram->peer.length <= offsetof(struct sockaddr, sa_data))
		return IO_FAULT(fault, STATUS_SEND, 0,
			"send to %s: the peer has no address to answer to", stream->name);
	enum io repeated = datagram_repeat(stream, &stream->write.at, fault);
	if (repeated != IO_OK)
		return repeated;
	int taken = datagram_try(datagram, pieces, count);
	if (taken != -1)
		return datagram_sent(stream, pieces, taken, put);
	int error = errno;
	if (sys_would_block(error)) {
		/* poll(2) of an unconnected Unix socket does not check the peer's queue. */
		if (!connected)
			stream->write.at = clock_after(clock_now(), BACKOFF_PAUSE);
		return IO_AGAIN;
	}
	if (backoff_waits(&datagram->writing, error, stream, &stream->write.at))
		return IO_AGAIN;
	if (reach_is_lost(error, datagram->reach.successes > 0))
		return datagram_drop(stream, pieces, count, error, put, fault);
	return datagram_refused(stream, STATUS_SEND, error, &stream->write.at, fault);
}

static void
datagram_close(struct stream *stream, bool clean)
{
	struct datagram *datagram = stream->impl;
	(void)clean;
	if (datagram->joined)
		(void)sys_join_received(datagram->fd, false);
	(void)sys_close(&datagram->fd);
	free(datagram->sender);
	free(datagram->messages);
	reach_close(&datagram->reach);
}

/* No shut: there is no end to send, and shutdown(2) would stop the receiving, too. */
static const struct stream_ops datagram_ops = {
	.open = datagram_open,
	.read = datagram_read,
	.write = datagram_write,
	.close = datagram_close,
};

struct stream *
datagram_new(const struct transport *transport, int fd, char *name, enum datagram_peer whose,
	const struct address *peer, bool single, struct fault *fault)
{
	struct stream *stream = stream_new(&datagram_ops, name, sizeof(struct datagram), fault);
	if (stream == NULL) {
		(void)sys_close(&fd);
		return NULL;
	}
	*(struct datagram *)stream->impl = (struct datagram){
		.fd = fd,
		.inet = transport->names == TRANSPORT_INET,
		.udp = transport->names == TRANSPORT_INET && transport->protocol == -1,
		.single = single,
		.whose = whose,
		.peer = *peer,
	};
	stream->read.fd = stream->write.fd = fd;
	stream->caps.endless = true;
	stream->caps.messages = true;
	stream->caps.message_max = transport_message_max(transport, fd);
	return stream;
}

void
datagram_redial(struct stream *stream, struct dial *dial)
{
	struct datagram *datagram = stream->impl;
	datagram->reach.dial = dial;
}
