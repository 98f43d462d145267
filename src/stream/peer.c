/* One of many peers; see peer.h. */
#include "stream/peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A socket that takes nothing is tried again so soon; many share it, and none waits on it. */
#define PEER_PAUSE CLOCK_MILLISECOND

struct peer_letter {
	struct peer_letter *next;
	size_t length;
	unsigned char bytes[];
};

static enum io
peer_open(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

/* An empty datagram weighs something, too. */
static size_t
peer_weight(const struct peer_letter *letter)
{
	return sizeof *letter + letter->length;
}

static bool
peer_is_full(const struct peer *peer)
{
	return peer->waiting >= peer->limit;
}

static struct peer_letter *
peer_next(struct peer *peer)
{
	struct peer_letter *letter = peer->first;
	bool was_full = peer_is_full(peer);
	if (letter == NULL)
		return NULL;
	peer->first = letter->next;
	if (peer->first == NULL)
		peer->last = NULL;
	peer->waiting -= peer_weight(letter);
	*peer->full -= was_full && !peer_is_full(peer);
	return letter;
}

static enum io
peer_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct peer *peer = stream->impl;
	struct peer_letter *letter = peer_next(peer);
	*got = 0;
	stream->pending = peer->first != NULL || peer->ended;
	if (letter == NULL)
		return peer->ended ? IO_END : IO_AGAIN;
	bool fits = letter->length <= stream_total(pieces, count);
	if (!fits)
		(void)fault_set(fault, STATUS_CUT, 0,
			"receive from %s: a datagram of %zu bytes is too long", stream->name,
			letter->length);
	for (int i = 0; fits && *got < letter->length; i++) {
		size_t part = letter->length - *got;
		if (part > pieces[i].iov_len)
			part = pieces[i].iov_len;
		memcpy(pieces[i].iov_base, letter->bytes + *got, part);
		*got += part;
	}
	free(letter);
	return fits ? IO_OK : IO_FAIL;
}

static enum io
peer_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct peer *peer = stream->impl;
	const struct address *to = &peer->address;
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
		*put = pieces[0].iov_len;
		stream->wtaken = 1;
		/* There is no descriptor to wait on: what is left has its turn at once. */
		stream->wagain = 1;
		return IO_OK;
	}
	if (sys_would_block(errno) || errno == ENOBUFS || errno == ENOMEM) {
		stream->wagain = clock_after(clock_now(), PEER_PAUSE);
		return IO_AGAIN;
	}
	(void)fault_set(fault, errno == ECONNREFUSED ? STATUS_CONNECT : STATUS_SEND, errno,
		"send to %s", stream->name);
	return IO_FAIL;
}

static enum io
peer_shut(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

void
peer_end(struct peer *peer)
{
	peer->ended = true;
	peer->stream->pending = true;
}

void
peer_leave_out(struct peer *peer)
{
	for (struct peer_letter *letter; (letter = peer_next(peer)) != NULL; peer->left_out++)
		free(letter);
}

static void
peer_close(struct stream *stream)
{
	peer_leave_out(stream->impl);
}

static const struct stream_ops peer_ops = {
	.open = peer_open,
	.read = peer_read,
	.write = peer_write,
	.shut = peer_shut,
	.close = peer_close,
};

bool
peer_init(struct stream *stream, struct peer *peer, const struct transport *transport,
	const struct address *address, size_t limit, size_t *full, char *name, struct fault *fault)
{
	*peer = (struct peer){
		.stream = stream, .address = *address, .fd = -1, .limit = limit, .full = full
	};
	if (name == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "receive");
	stream_init(stream, &peer_ops, name, peer);
	stream->from = name;
	stream->left_out = &peer->left_out;
	stream->endless = true;
	stream->rmessages = true;
	stream->wmessage_max = transport->message_max;
	return true;
}

enum peer_taken
peer_take(struct peer *peer, int fd, const unsigned char *bytes, const struct sys_message *message)
{
	peer->fd = fd;
	peer->own = (struct address){ message->at, message->at_length };
	if (peer_is_full(peer)) {
		peer->left_out++;
		return PEER_FULL;
	}
	struct peer_letter *letter = malloc(sizeof *letter + message->length);
	if (letter == NULL)
		return PEER_LOST;
	*letter = (struct peer_letter){ .length = message->length };
	memcpy(letter->bytes, bytes, message->length);
	*(peer->last != NULL ? &peer->last->next : &peer->first) = letter;
	peer->last = letter;
	peer->waiting += peer_weight(letter);
	*peer->full += peer_is_full(peer);
	peer->stream->pending = true;
	return PEER_TAKEN;
}
