/* The receiver of datagram peers with -k: reads the sockets and delivers each datagram to the
 * session of its sender. */
#ifndef SOCKCAT_ENGINE_RECEIVER_H
#define SOCKCAT_ENGINE_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/pollset.h"
#include "engine/clients.h"
#include "stream/batch.h"

struct receiver {
	struct batch batch;   /* may have datagrams for a peer without room */
	unsigned char *space; /* owned: the slots */
	size_t slots;         /* 1 for sockets with datagrams of any size */
	size_t slot;          /* bytes of one; the only slot grows */
	int fd;               /* the socket of the batch */
};

/* For the open sockets of the listener. False and a fault if memory runs out. */
bool receiver_open(struct receiver *receiver, const struct clients *clients, struct fault *fault);

/* Frees everything; a zeroed struct is allowed. */
void receiver_close(struct receiver *receiver);

/* Whether datagrams are received now, even if a peer's queue is full: the kernel would keep them,
 * but those of every peer. */
bool receiver_is_open(const struct clients *clients);

/* Delivers them; drops datagrams that do not fit. False and a fault as below. */
bool receiver_flush(struct receiver *receiver, struct clients *clients, struct fault *fault);

/* Receives from the sockets that have fired. False and a fault only if no session can continue. */
bool receiver_step(struct receiver *receiver, struct clients *clients,
	const struct pollset *pollset, struct fault *fault);

/* Emits the number of datagrams that the kernel dropped, if any; `asked`: at every level. */
void receiver_report(const struct clients *clients, bool asked);

#endif
