/* The local side of a session that sends files (--send). */
#ifndef SOCKCAT_TRANSFER_SENDER_H
#define SOCKCAT_TRANSFER_SENDER_H

#include "base/fault.h"
#include "stream/stream.h"

struct sender_config {
	const char *const *files; /* their paths; not owned */
	size_t count;
	char *const *tree_options; /* of sockcat-archive; not owned */
	size_t *stored;   /* not owned: files that earlier connections have stored; NULL: none */
	int64_t greeting; /* how long to wait for that of the receiver */
};

/* `peer`: the name of the receiver. NULL and a fault if there is no memory. */
struct stream *sender_new(
	const struct sender_config *config, const char *peer, int64_t now, struct fault *fault);

#endif
