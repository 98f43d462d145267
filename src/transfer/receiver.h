/* The local side of a session that receives files (--receive). */
#ifndef SOCKCAT_TRANSFER_RECEIVER_H
#define SOCKCAT_TRANSFER_RECEIVER_H

#include "base/fault.h"
#include "stream/stream.h"
#include "transfer/incoming.h"

struct receiver_config {
	struct incoming_config file;
	int64_t greeting; /* how long to wait for that of the sender */
};

/* `peer`: the name of the sender. NULL and a fault: status 27, or 4 if `resume` has no digest. */
struct stream *receiver_new(
	const struct receiver_config *config, const char *peer, int64_t now, struct fault *fault);

#endif
