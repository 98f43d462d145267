/* Pre-shared keys of a context: of TLS 1.3 (RFC 8446, 4.2.11) and its suites with SHA-256, or of
 * DTLS 1.2 (RFC 4279). */
#ifndef SOCKCAT_PLUGIN_OPENSSL_PSK_H
#define SOCKCAT_PLUGIN_OPENSSL_PSK_H

#include "plugin/openssl_context.h"
#include "plugin/openssl_session.h"

/* The suites that can be used with them. */
#define OPENSSL_PSK_SUITES "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

/* The ciphers of DTLS, those with forward secrecy first; small devices have the last only. */
#define OPENSSL_PSK_CIPHERS \
	"kECDHEPSK+CHACHA20:kDHEPSK+AESGCM:kDHEPSK+CHACHA20:kPSK+AESGCM:kPSK+CHACHA20:kPSK+AESCCM"

/* Offers the first key as a client, accepts all of them as a server. */
void openssl_psk_set_up(struct openssl_context *context);

/* Refuses a server that has answered with a certificate instead. */
void openssl_psk_refuse(struct openssl_session *session);

/* Sets the fault of a server's handshake that has failed by the client's keys. */
void openssl_psk_explain(const struct openssl_session *session, struct fault *fault);

#endif
