/* The local side of a session that receives files (--receive). */
#ifndef SOCKCAT_TRANSFER_RECEIVER_H
#define SOCKCAT_TRANSFER_RECEIVER_H

#include "base/fault.h"
#include "stream/stream.h"

struct receiver_config {
	const char *directory; /* where the files are stored; not owned */
	mode_t mask;           /* permissions that they do not get */
	bool replace;          /* existing files */
	int64_t greeting;      /* how long to wait for that of the sender */
};

/* `peer`: the name of the sender. NULL and a fault if there is no memory. */
struct stream *receiver_new(
	const struct receiver_config *config, const char *peer, int64_t now, struct fault *fault);

#endif
