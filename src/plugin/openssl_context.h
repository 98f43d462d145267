/* A context of the plug-in `tls`: the settings as OpenSSL needs them. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_CONTEXT_H
#define SOCKCAT_PLUGIN_OPENSSL_CONTEXT_H

#include <openssl/ssl.h>

#include "plugin/openssl_format.h"
#include "plugin/tls_ops.h"

struct openssl_context {
	SSL_CTX *ssl;
	size_t users; /* the owner, and each session */
	struct tls_settings settings;
	SSL_CTX **others; /* owned: the certificates besides the first (openssl_names.h) */
	size_t other_count;
	unsigned char *protocols; /* owned: ALPN, as on the wire; NULL: none */
	unsigned protocols_size;
	char pin[TLS_PIN_SIZE]; /* of the own certificate; empty: there is none */
};

/* See struct tls_ops. */
void *openssl_context_new(const struct tls_settings *settings, void *previous, struct fault *fault);
void openssl_context_free(void *state);
const char *openssl_context_pin(void *state);

/* Sets STATUS_CREDENTIALS: the file cannot be used, with what it is instead, or why the library
 * failed. Returns false. */
bool openssl_context_fail(enum openssl_format format, const char *file, struct fault *fault);

/* Loads the own certificate of this number, those of its intermediate authorities, and its key.
 * False with STATUS_CREDENTIALS. */
bool openssl_context_load(
	SSL_CTX *ssl, const struct tls_settings *settings, size_t number, struct fault *fault);

/* Why the library failed, from its queue of errors, which is emptied. */
const char *openssl_context_reason(void);

#endif
