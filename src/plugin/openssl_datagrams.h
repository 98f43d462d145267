/* What a session of DTLS does besides that of TLS (openssl_session.h). */
#ifndef SOCKCAT_PLUGIN_OPENSSL_DATAGRAMS_H
#define SOCKCAT_PLUGIN_OPENSSL_DATAGRAMS_H

#include "plugin/openssl_session.h"

/* Sets the options that DTLS needs. */
void openssl_datagrams_set_up(SSL_CTX *ssl);

/* Sets the bottom of a new session. */
void openssl_datagrams_set_below(struct openssl_session *session, const struct tls_bottom *bottom);

/* See struct tls_ops. */
void openssl_datagrams_set_bottom(void *state, const struct tls_bottom *bottom, const char *peer);
bool openssl_datagrams_timer(void *state, int64_t *span);
enum io openssl_datagrams_retransmit(void *state, struct fault *fault);
void openssl_datagrams_set_max(void *state, size_t size);
size_t openssl_datagrams_message_max(void *state);

#endif
