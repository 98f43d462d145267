/* The stream of a subscriber of a bus (bus.h). */
#ifndef SOCKCAT_BROADCAST_SUBSCRIBER_H
#define SOCKCAT_BROADCAST_SUBSCRIBER_H

#include "base/fault.h"
#include "broadcast/bus.h"
#include "stream/stream.h"

/* A write publishes to the others, a read returns what they publish: messages of up to `max` bytes,
 * or bytes if it is 0. `publisher`: it only publishes, and its clean end is the end of
 * the bus. The stream uses the queue until it is closed. NULL and a fault if memory runs out. */
struct stream *subscriber_new(
	struct bus *bus, struct bus_queue *queue, size_t max, bool publisher, struct fault *fault);

#endif
