/*
 * Broadcast bus: each published chunk is stored once and shared by the bounded queues of all
 * subscribers.
 *
 * There are no callbacks: a queue that received a chunk, or may publish again, is put in a list of
 * woken queues, which the owner of the bus processes (bus_next_woken).
 */
#ifndef SOCKCAT_BROADCAST_BUS_H
#define SOCKCAT_BROADCAST_BUS_H

#include "base/fault.h"
#include "base/io.h"
#include "broadcast/chunks.h"
#include "stream/backoff.h"
#include "stream/lender.h"
#include "stream/stream.h"

/* The policy for a full queue: the publisher waits, the message is dropped for this queue, or the
 * subscriber is disconnected. A message is dropped, or the subscriber disconnected, only if it had
 * a turn (bus_attend) since the last chunk was queued; until then the publisher waits. */
enum bus_slow { BUS_WAIT, BUS_DROP, BUS_DISCONNECT };

struct bus_queue;

struct bus {
	size_t limit; /* of the weight of a queue; an empty one takes a message of any size */
	enum bus_slow slow;
	bool no_empty;      /* the subscribers cannot be sent empty messages */
	bool ended;         /* no more chunks will be published */
	bool more;          /* unpublished data is waiting */
	size_t subscribers; /* queues that receive messages */
	uint64_t taken;     /* changes whenever a subscriber takes data */
	size_t blocked;     /* queues that wait to publish */
	/* All queues, in the order in which they may publish, and the list of woken ones. */
	struct bus_queue *first, *last, *woken, *last_woken;
};

struct bus_queue {
	struct lender lender;   /* of the chunks that were read */
	struct bus *bus;        /* NULL: not joined */
	struct stream *stream;  /* the subscriber's; not owned */
	struct chunks chunks;   /* owned */
	bool publish_only;      /* receives no chunks */
	bool full;              /* overflowed: unsubscribed by BUS_DISCONNECT */
	bool finished;          /* see bus_finish */
	bool unseen;            /* no bus_attend since a chunk was queued */
	bool blocked;           /* waits to publish */
	struct backoff backoff; /* when memory for publishing runs out */
	bool is_woken;
	struct bus_queue *next, *previous, *next_woken;
};

/* Joins the bus. `publish_only`: without receiving. */
void bus_join(struct bus *bus, struct bus_queue *queue, struct stream *stream, bool publish_only);

/* As bus_unsubscribe, and the stream ends when the queue is empty. */
void bus_finish(struct bus_queue *queue);

/* Leaves the bus and frees the queue; a zeroed struct is allowed. */
void bus_leave(struct bus_queue *queue);

/* Stops receiving; no publisher waits for the queue any more. Queued chunks stay. A zeroed struct
 * is allowed. */
void bus_unsubscribe(struct bus_queue *queue);

/*
 * Publishes to all other subscribers. `apart`: each piece is a message, and the first *published of
 * them were taken; otherwise the pieces are bytes, and *published is 1. IO_AGAIN: not now; the
 * queue is woken for another attempt, or its stream's write.at is set. IO_FAIL: no memory for too
 * long.
 */
enum io bus_publish(struct bus_queue *from, const struct iovec *pieces, int count, bool apart,
	size_t *published, struct fault *fault);

/* Publishes a notice without waiting: full queues do not receive it, even with BUS_WAIT. */
void bus_notify(struct bus_queue *from, const struct iovec *pieces, int count);

/* Queues a notice for this subscriber only. A full queue is treated as by bus_publish, without
 * waiting. */
void bus_tell(struct bus_queue *queue, const struct iovec *pieces, int count);

/* Sets whether unpublished data is waiting. */
void bus_expect(struct bus *bus, bool more);

/* Ends the bus: the streams of all queues end when they are empty. */
void bus_end(struct bus *bus);

/* Records that the subscriber had a turn to take data. */
void bus_attend(struct bus_queue *queue);

/* Removes the first bytes or, if messages > 0, that many chunks, which have these bytes. */
void bus_take(struct bus_queue *queue, size_t bytes, size_t messages);

/* Makes the queue wait to publish: its stream is not written to before bus_unblock. */
void bus_block(struct bus_queue *queue);

/* Wakes all queues that wait to publish, in the order of bus_block. */
void bus_unblock(struct bus *bus);

/* The next woken queue, or NULL. */
struct bus_queue *bus_next_woken(struct bus *bus);

#endif
