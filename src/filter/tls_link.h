/*
 * The stream below a TLS filter, as the library uses it. Records that it does not take at once are
 * queued, so that the library need not repeat a write.
 */
#ifndef SOCKCAT_FILTER_TLS_LINK_H
#define SOCKCAT_FILTER_TLS_LINK_H

#include "filter/tls_handshake.h"
#include "filter/write_queue.h"
#include "plugin/tls_ops.h"

/* Initially zeroed but for `lower`. */
struct tls_link {
	struct stream *lower;     /* not owned */
	struct write_queue queue; /* records */
	uint64_t written;         /* bytes that the library has written */
	uint64_t notified;        /* those of them before close_notify */
	size_t turn;              /* bytes that the last call of the library has read */
	struct fault failure;     /* of the stream below, in a call of the library */
	bool full;                /* the last call of the library waits for room in the queue */
	bool ended;               /* the stream below has ended */
	bool bulk;                /* the last read of it got all it asked for: there may be more */
	bool sent;                /* data has been written */
	bool taken;               /* all of it had been read, or acknowledged, by close_notify */
	bool finished;            /* the end of the stream below has been sent */
	bool holds;               /* what the library writes is queued, to be written at once */
	struct tls_handshake_input input;
};

/* The functions that the library calls. */
struct tls_bottom tls_link_bottom(struct tls_link *link);

static inline bool
tls_link_is_empty(const struct tls_link *link)
{
	return write_queue_is_empty(&link->queue);
}

/* Before a call of the library that reads. */
void tls_link_begin(struct tls_link *link);

/* Whether the last call of the library is to be repeated at once: it waited for room in the queue,
 * which was written since, or it has read enough for one turn. */
bool tls_link_goes_on(const struct tls_link *link);

/* Whether the queue holds enough for a write. */
bool tls_link_is_large(const struct tls_link *link);

/* Writes the queue: IO_OK when it is empty. */
enum io tls_link_flush(struct tls_link *link, struct fault *fault);

/* After close_notify of the peer, what it sends is ignored (RFC 8446, 6.1): looks whether the
 * stream below has `ended`. IO_AGAIN, or IO_FAIL if it has failed. */
enum io tls_link_ignore(struct tls_link *link, struct fault *fault);

/* Has the next read come when the answers in the queue can be sent, too: if nothing else is sent,
 * no flow waits for that. */
void tls_link_await_room(const struct tls_link *link, struct stream_side *read);

/* Before the library writes close_notify. */
void tls_link_notify(struct tls_link *link);

/* The connection is broken: whether nothing but what follows the data has not arrived: close_notify
 * and the end. Where nothing acknowledges, and the peer left something unread, that is not known.
 */
bool tls_link_has_arrived(struct tls_link *link);

/* The handshake has failed, and the alert in the queue says why. Sends it, and the end, and
 * discards what the peer still sends: to close a connection with unread data would reset it, which
 * can destroy the alert. `verdict` is what the handshake has failed for. IO_AGAIN: *read says what
 * to wait for; IO_OK: the peer has ended. */
enum io tls_link_part(struct tls_link *link, struct fault *verdict, struct stream_side *read);

/* The handshake has failed: IO_FAIL. Without an alert, as for a peer that does not speak TLS, the
 * peer would take the end of the connection for an empty answer. */
enum io tls_link_fail(struct tls_link *link);

/* Frees it. */
void tls_link_close(struct tls_link *link);

#endif
