/*
 * The stream of one of the peers of an unconnected datagram socket. The owner of the socket
 * receives, and queues here what the peer sent; a write sends to the peer.
 */
#ifndef SOCKCAT_STREAM_PEER_H
#define SOCKCAT_STREAM_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "net/endpoint.h"
#include "stream/stream.h"
#include "sys/sys.h"

struct peer_datagram;

struct peer {
	struct stream *stream;              /* owns this */
	const struct address *address;      /* not owned */
	int fd;                             /* the socket of its last datagram; not owned */
	struct address own;                 /* the local address of that datagram */
	struct peer_datagram *first, *last; /* the queue; owned */
	size_t waiting, limit;              /* size of the queue, overhead included */
	size_t *full;                       /* number of peers with a full queue; not owned */
	bool ended;                         /* a read of the empty queue returns IO_END */
};

/* Whether a datagram was queued; if not, because the queue is full or memory ran out. */
enum peer_taken { PEER_TAKEN, PEER_FULL, PEER_LOST };

/*
 * A peer and its stream, which frees it. Takes the name, also when there is no memory (NULL and a
 * fault); the address outlives the stream. A queue of `limit` bytes or more is full, and counted in
 * *full. `message_max`: the largest datagram that the socket can send.
 */
struct peer *peer_new(size_t message_max, const struct address *address, size_t limit, size_t *full,
	char *name, struct fault *fault);

/* A datagram of the peer was received on the socket at the address `own`; answers are sent from
 * there. */
void peer_meet(struct peer *peer, int fd, const struct address *own);

/* The own address that its last datagram was sent to, and the port. */
struct address peer_own(const struct peer *peer);

/* As peer_meet, and queues the datagram; if the queue is full it is dropped and counted. */
enum peer_taken peer_take(struct peer *peer, int fd, const struct address *own,
	const unsigned char *bytes, size_t length);

/* The stream ends when its queue is empty. */
void peer_end(struct peer *peer);

/* Drops the queue, and counts it. NULL: nothing. */
void peer_leave_out(struct peer *peer);

#endif
