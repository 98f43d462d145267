/*
 * The senders of datagrams that are no clients yet, where they have to prove their address: by the
 * cookies of DTLS (RFC 6347, 4.2.1). Until then a sender, whose address may be forged, causes no
 * client, no line, nothing that counts for a limit, and no answer larger than its datagram.
 */
#ifndef SOCKCAT_ENGINE_GREETER_H
#define SOCKCAT_ENGINE_GREETER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/endpoint.h"
#include "plugin/tls.h"
#include "stream/batch.h"
#include "stream/peer.h"

/* Zeroed but for `tls`. */
struct greeter {
	const struct tls *tls; /* not owned; NULL: each sender is a client at once */
	void *context;         /* that the session was made from */
	void *session;         /* owned: the plug-in's, for the next sender; NULL: none */
	bool met;              /* the session has begun with the sender of the last datagram */
	bool used;             /* the session has read that datagram */
	int fd;                /* the socket of that datagram; not owned */
	const struct batch_datagram *datagram; /* not owned; valid in greeter_meets */
	struct address own;                    /* the address that it was sent to */
	uint64_t hello;                        /* identifies it */
};

/* Whether senders have to prove their address. */
static inline bool
greeter_is_needed(const struct greeter *greeter)
{
	return greeter->tls != NULL;
}

/* Whether the sender of a datagram from this socket becomes a client. Otherwise the datagram was
 * answered, or ignored. */
bool greeter_meets(
	struct greeter *greeter, int fd, const struct batch_datagram *datagram, int64_t now);

/* Whether a datagram of a client begins a handshake other than that which began with `hello`: the
 * client may have restarted with the same address (RFC 6347, 4.2.8). */
bool greeter_is_other(
	const struct greeter *greeter, const struct batch_datagram *datagram, uint64_t hello);

/* Hands over the session with the sender that was met, which goes on with `peer`; it has used the
 * datagram. NULL: there is none, since each sender is a client. */
void *greeter_take(struct greeter *greeter, struct peer *peer);

/* Frees everything. */
void greeter_close(struct greeter *greeter);

#endif
