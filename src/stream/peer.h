/*
 * One of the peers of a datagram socket that is not connected: what came from it waits until it is
 * read, and what is written goes to it. Nobody waits on the socket here: whoever owns it receives,
 * and hands on what is this one's.
 */
#ifndef SOCKCAT_STREAM_PEER_H
#define SOCKCAT_STREAM_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "net/endpoint.h"
#include "net/transport.h"
#include "stream/stream.h"
#include "sys/sys.h"

struct peer_letter;

struct peer {
	struct stream *stream; /* not owned */
	struct address address;
	int fd;                           /* not owned: where it was heard last, … */
	struct address own;               /* … and at which of our addresses */
	struct peer_letter *first, *last; /* owned: what waits, … */
	size_t waiting, limit;            /* … in bytes, what keeps them included */
	size_t *full;                     /* not owned: counts the peers of which too much waits */
	uint64_t left_out;                /* datagrams that nobody took */
	bool ended;                       /* nothing more is expected of it */
};

/* What became of a datagram: it waits, there was no room for it, or no memory. */
enum peer_taken { PEER_TAKEN, PEER_FULL, PEER_LOST };

/*
 * Makes the stream, which has the peer until it is closed. Takes the name, also when there is no
 * memory (false). The socket stays its owner's. While `limit` bytes or more wait the peer counts in
 * *full, and there is no room.
 */
bool peer_init(struct stream *stream, struct peer *peer, const struct transport *transport,
	const struct address *address, size_t limit, size_t *full, char *name, struct fault *fault);

/* A datagram has come from it to the socket, which is to be answered from. One for which there is
 * no room is left out. */
enum peer_taken peer_take(
	struct peer *peer, int fd, const unsigned char *bytes, const struct sys_message *message);

/* What waits is the last that is read of it: then comes the end. Until then it may say more. */
void peer_end(struct peer *peer);

/* Nobody will read what waits: it is left out. Also good on a zeroed struct. */
void peer_leave_out(struct peer *peer);

#endif
