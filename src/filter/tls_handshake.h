/* Reports about the handshake of a TLS filter. */
#ifndef SOCKCAT_FILTER_TLS_HANDSHAKE_H
#define SOCKCAT_FILTER_TLS_HANDSHAKE_H

#include "filter/tls_filter.h"
#include "stream/stream.h"

/* The first bytes of the peer, for the message if they are no TLS. Initially zeroed. */
struct tls_handshake_input {
	char bytes[41]; /* with a NUL */
	size_t count;
};

/* Adds bytes that the peer has sent. */
void tls_handshake_note(struct tls_handshake_input *input, const void *bytes, size_t n);

/* Completes the fault of a handshake that has failed; `lower` is that of the stream below. */
void tls_handshake_explain(const struct stream *stream, const struct tls_handshake_input *input,
	struct fault *lower, struct fault *fault);

/* Emits what was agreed on, and a warning if the certificate was not verified. */
void tls_handshake_report(struct tls *tls, void *session, const char *peer);

/* Writes the certificates of the peer to the file of the config, if there is one. False with
 * STATUS_OUTPUT. */
bool tls_handshake_save(const struct tls_filter_config *config, void *session, struct fault *fault);

#endif
