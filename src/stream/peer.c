/* One peer of a datagram socket; see peer.h. */
#include "stream/peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/reach.h"

/* When a send that found the socket full is retried: many streams share the socket, and none polls
 * it. */
#define PEER_PAUSE CLOCK_MILLISECOND

struct peer_datagram {
	struct peer_datagram *next;
	size_t length;
	unsigned char bytes[];
};

/* Its size in the queue: an empty datagram needs memory, too. */
static size_t
peer_weight(const struct peer_datagram *datagram)
{
	return sizeof *datagram + datagram->length;
}

static bool
peer_is_full(const struct peer *peer)
{
	return peer->waiting >= peer->limit;
}

static struct peer_datagram *
peer_next(struct peer *peer)
{
	struct peer_datagram *datagram = peer->first;
	bool was_full = peer_is_full(peer);
	if (datagram == NULL)
		return NULL;
	peer->first = datagram->next;
	if (peer->first == NULL)
		peer->last = NULL;
	peer->waiting -= peer_weight(datagram);
	*peer->full -= was_full && !peer_is_full(peer);
	return datagram;
}

static enum io
peer_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct peer *peer = stream->impl;
	(void)fault;
	*got = stream->loan.needs = 0;
	if (peer->first != NULL && peer->first->length > stream_total(pieces, count)) {
		stream->loan.needs = peer->first->length;
		return IO_AGAIN;
	}
	struct peer_datagram *datagram = peer_next(peer);
	stream->ready = peer->first != NULL || peer->ended;
	if (datagram == NULL)
		return peer->ended ? IO_END : IO_AGAIN;
	*got = stream_copy(pieces, count, datagram->bytes, datagram->length);
	free(datagram);
	return IO_OK;
}

static enum io
peer_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct peer *peer = stream->impl;
	const struct address *to = peer->address;
	*put = 0;
	if (count == 0)
		return IO_OK;
	if (to->length <= offsetof(struct sockaddr, sa_data)) {
		(void)fault_set(fault, STATUS_SEND, 0,
			"send to %s: the peer has no address to answer to", stream->name);
		return IO_FAIL;
	}
	if (sys_send_from(peer->fd, pieces, 1, (const struct sockaddr *)&to->storage, to->length,
		    &peer->own.storage, peer->own.length) != -1) {
		*put = 1;
		stream->write.at = STREAM_NOW;
		return IO_OK;
	}
	if (sys_would_block(errno) || errno == ENOBUFS || errno == ENOMEM) {
		stream->write.at = clock_after(clock_now(), PEER_PAUSE);
		return IO_AGAIN;
	}
	if (reach_is_lost(errno, true)) {
		reach_count_unsent(stream, pieces[0].iov_len, errno);
		*put = 1;
		stream->write.at = STREAM_NOW;
		return IO_OK;
	}
	(void)fault_set(fault, errno == ECONNREFUSED ? STATUS_CONNECT : STATUS_SEND, errno,
		"send to %s", stream->name);
	return IO_FAIL;
}

void
peer_end(struct peer *peer)
{
	peer->ended = true;
	peer->stream->ready = true;
}

void
peer_leave_out(struct peer *peer)
{
	for (struct peer_datagram *datagram; peer != NULL && (datagram = peer_next(peer)) != NULL;
		peer->stream->stats.left_out++)
		free(datagram);
}

static void
peer_close(struct stream *stream, bool clean)
{
	(void)clean;
	peer_leave_out(stream->impl);
}

static const struct stream_ops peer_ops = {
	.read = peer_read,
	.write = peer_write,
	.close = peer_close,
};

struct peer *
peer_new(size_t message_max, const struct address *address, size_t limit, size_t *full, char *name,
	struct fault *fault)
{
	struct stream *stream = stream_new(&peer_ops, name, sizeof(struct peer), fault);
	if (stream == NULL)
		return NULL;
	struct peer *peer = stream->impl;
	*peer = (struct peer){
		.stream = stream, .address = address, .fd = -1, .limit = limit, .full = full
	};
	stream->loan.from = name;
	stream->caps.endless = true;
	stream->caps.messages = true;
	stream->caps.message_max = message_max;
	return peer;
}

void
peer_meet(struct peer *peer, int fd, const struct address *own)
{
	peer->fd = fd;
	peer->own = *own;
}

struct address
peer_own(const struct peer *peer)
{
	struct address bound, own = peer->own;
	if (!address_of_socket(&bound, peer->fd))
		return own;
	if (own.length == 0)
		return bound;
	address_set_port(&own, address_port(&bound));
	return own;
}

enum peer_taken
peer_take(struct peer *peer, int fd, const struct address *own, const unsigned char *bytes,
	size_t length)
{
	peer_meet(peer, fd, own);
	if (peer_is_full(peer)) {
		peer->stream->stats.left_out++;
		return PEER_FULL;
	}
	struct peer_datagram *datagram = malloc(sizeof *datagram + length);
	if (datagram == NULL)
		return PEER_LOST;
	*datagram = (struct peer_datagram){ .length = length };
	memcpy(datagram->bytes, bytes, length);
	*(peer->last != NULL ? &peer->last->next : &peer->first) = datagram;
	peer->last = datagram;
	peer->waiting += peer_weight(datagram);
	*peer->full += peer_is_full(peer);
	peer->stream->ready = true;
	return PEER_TAKEN;
}
