/*
 * A host's addresses. A name is looked up in a thread of its own, because getaddrinfo(3) blocks
 * for as long as it likes; so a deadline can cover it. Addresses, paths and the like are there at
 * once, without a thread.
 */
#ifndef SOCKCAT_NET_RESOLVE_H
#define SOCKCAT_NET_RESOLVE_H

#include <stddef.h>

#include "base/fault.h"
#include "base/interest.h"
#include "base/io.h"
#include "net/endpoint.h"

/* More addresses of one name are left out, and counted. */
#define RESOLVE_MAX 64

struct resolve {
	struct address *addresses; /* owned; in the order in which to try them, port included */
	size_t count, left_out;
	struct resolve_job *job; /* the look-up under way */
	int fd;                  /* becomes readable when the look-up is done */
	size_t entry;
};

/*
 * Begins. The endpoint has a host. IO_OK: the addresses (at least one) are there; IO_AGAIN: ask,
 * wait and step; IO_FAIL: status 4, 6 or 27.
 */
enum io resolve_start(
	struct resolve *resolve, const struct endpoint *endpoint, struct fault *fault);

/* As resolve_start, for the same host and another port: takes the addresses that were found. */
enum io resolve_again(
	struct resolve *resolve, const struct resolve *found, uint16_t port, struct fault *fault);

void resolve_ask(struct resolve *resolve, struct interest *interest);

/* As resolve_start; to be called with the same endpoint. */
enum io resolve_step(struct resolve *resolve, const struct endpoint *endpoint,
	const struct interest *interest, struct fault *fault);

/* Frees what it owns, and forgets a look-up that is under way. Also good on a zeroed struct. */
void resolve_close(struct resolve *resolve);

#endif
