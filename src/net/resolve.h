/*
 * Resolving an endpoint to addresses. Names are looked up in a thread, since getaddrinfo(3) blocks
 * without a time limit. Numeric addresses, paths and so on need no thread.
 */
#ifndef SOCKCAT_NET_RESOLVE_H
#define SOCKCAT_NET_RESOLVE_H

#include "base/fault.h"
#include "base/pollset.h"
#include "base/io.h"
#include "net/endpoint.h"

/* The most addresses of a name; further ones are counted in left_out. */
#define RESOLVE_MAX 64

struct resolve {
	struct address *addresses; /* owned; with the port, in the order in which to try them */
	size_t count, left_out;
	bool given;              /* by the user, for one port only (hosts.h) */
	struct resolve_job *job; /* the pending look-up; NULL: none */
	int fd;                  /* becomes readable when the look-up is done; -1: none */
	size_t entry;
};

/*
 * Resolves an endpoint with a host. IO_OK: there is at least one address. IO_AGAIN: call
 * resolve_ask, poll, resolve_step. IO_FAIL: status 4, 6 (of a proxy 5) or 27.
 */
enum io resolve_start(
	struct resolve *resolve, const struct endpoint *endpoint, struct fault *fault);

/* The status of a name that does not resolve. */
static inline enum status
resolve_status(const struct endpoint *endpoint)
{
	return endpoint->proxy ? STATUS_PROXY_NAME : STATUS_RESOLVE;
}

/* Copies the addresses of `found` with another port. IO_OK, or IO_FAIL with status 27. */
enum io resolve_again(
	struct resolve *resolve, const struct resolve *found, uint16_t port, struct fault *fault);

void resolve_ask(struct resolve *resolve, struct pollset *pollset);

/* Returns like resolve_start; takes the same endpoint. */
enum io resolve_step(struct resolve *resolve, const struct endpoint *endpoint,
	const struct pollset *pollset, struct fault *fault);

/* The same by looking whether the look-up is done, whatever was polled. */
enum io resolve_look(struct resolve *resolve, const struct endpoint *endpoint, struct fault *fault);

/* Frees everything and abandons a pending look-up. A zeroed struct is allowed. */
void resolve_close(struct resolve *resolve);

/* The number of look-ups whose result has not been taken, each of which may have a thread. An
 * abandoned one ends when getaddrinfo(3) returns. */
size_t resolve_lookups(void);

/* The number of abandoned ones among them. */
size_t resolve_abandoned(void);

#endif
