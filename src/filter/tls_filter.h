/*
 * TLS on top of a stream of bytes, by the plug-in of plugin/tls.h.
 *
 * The end of sending is close_notify alone; the end of the stream below follows that of the peer,
 * since servers take both at once for an abort. The end of the stream without close_notify of the
 * peer is a failure (STATUS_CUT).
 */
#ifndef SOCKCAT_FILTER_TLS_FILTER_H
#define SOCKCAT_FILTER_TLS_FILTER_H

#include "base/clock.h"
#include "filter/tls_files.h"
#include "net/handshake.h"
#include "plugin/tls.h"
#include "stream/stream.h"

/* What the sessions of a run have in common. */
struct tls_filter_config {
	struct tls *tls;               /* NULL: no TLS */
	const char *name;              /* that the server's certificate must have; NULL: any */
	int64_t limit;                 /* of the handshake, a span */
	int64_t by;                    /* a time by which it has to be over, too; 0: none */
	const struct tls_files *files; /* not owned; NULL: none */
	const struct handshake_protocol *starttls; /* before TLS (net/starttls.h); NULL: none */
	bool hop;    /* with a proxy, not the peer: tls_filter_describe does not describe it */
	void *begun; /* of one session, with DTLS: see dtls_filter_add; NULL: nothing */
};

/* When an opening that begins now has to be over: of STARTTLS, or a handshake of TLS or DTLS. */
static inline int64_t
tls_filter_deadline(const struct tls_filter_config *config, int64_t now)
{
	int64_t deadline = clock_after(now, config->limit);
	return config->by != 0 ? clock_earlier(deadline, config->by) : deadline;
}

/* Puts the filter on top; nothing without TLS. The config is copied; what it points to has to
 * outlive the filter. False and a fault if there is no memory. */
bool tls_filter_add(
	struct stream **top, const struct tls_filter_config *config, struct fault *fault);

/* Describes the TLS or DTLS with the peer of a stream with the filter, which may have others on
 * top. False: it has none that is established. */
bool tls_filter_describe(const struct stream *top, struct tls_facts *facts);

#endif
