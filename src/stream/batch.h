/*
 * The datagrams of one call, for all that receive from a socket without connections. The kernel
 * may have joined several datagrams of one sender (UDP GRO); batch_next separates them.
 */
#ifndef SOCKCAT_STREAM_BATCH_H
#define SOCKCAT_STREAM_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/sys.h"

/* The most messages of one call. */
#define BATCH_MAX 16

/* Holds the largest UDP datagram, also a joined one. */
#define BATCH_SLOT ((size_t)65536)

/* Invariant: next <= count <= BATCH_MAX. */
struct batch {
	unsigned char *space; /* of the last call: message i is at space + i * slot; not owned */
	size_t slot;
	struct sys_message messages[BATCH_MAX];
	size_t count;  /* messages received */
	size_t next;   /* the first message that batch_next has not finished */
	size_t offset; /* of its next datagram */
};

struct batch_datagram {
	const struct sys_message *message; /* the sender, and whether the end was cut off */
	bool first;                        /* of the message */
	unsigned char *bytes;              /* in the space */
	size_t length;
};

/* Receives up to `slots` messages into the space. False with errno. */
bool batch_receive(struct batch *batch, int fd, unsigned char *space, size_t slot, size_t slots);

/* Whether batch_next returns a datagram. */
static inline bool
batch_is_pending(const struct batch *batch)
{
	return batch->next < batch->count;
}

/* The next datagram; false if there is none. Inline: joined datagrams may be tiny and many. */
static inline bool
batch_next(struct batch *batch, struct batch_datagram *datagram)
{
	if (!batch_is_pending(batch))
		return false;
	const struct sys_message *message = &batch->messages[batch->next];
	size_t left = message->length - batch->offset;
	bool joined = message->segment > 0 && message->segment < left;
	datagram->message = message;
	datagram->first = batch->offset == 0;
	datagram->bytes = batch->space + batch->next * batch->slot + batch->offset;
	datagram->length = joined ? message->segment : left;
	batch->offset = joined ? batch->offset + message->segment : 0;
	batch->next += !joined;
	return true;
}

#endif
