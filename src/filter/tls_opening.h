/* The handshake of a TLS filter, while it opens. */
#ifndef SOCKCAT_FILTER_TLS_OPENING_H
#define SOCKCAT_FILTER_TLS_OPENING_H

#include "filter/tls_filter.h"
#include "filter/tls_link.h"

/* Initially zeroed but for the first three. */
struct tls_opening {
	const struct tls_filter_config *config; /* not owned */
	void *session;                          /* the plug-in's; not owned */
	int64_t deadline;
	bool established;
	bool parts;           /* the handshake has failed here: the connection ends in order */
	struct fault failure; /* why, meanwhile */
};

/* One step: IO_OK when the handshake is over, IO_AGAIN, IO_FAIL. The alert that refuses the peer is
 * sent in order before it fails, within a limited time. */
enum io tls_opening_step(struct tls_opening *opening, struct stream *stream, struct tls_link *link,
	int64_t now, struct fault *fault);

/* Adds what the next step needs. */
void tls_opening_ask(
	const struct tls_opening *opening, const struct stream *stream, struct pollset *pollset);

#endif
