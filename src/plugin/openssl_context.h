/* A context of the plug-in `tls`: the settings as OpenSSL needs them. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_CONTEXT_H
#define SOCKCAT_PLUGIN_OPENSSL_CONTEXT_H

#include <openssl/ssl.h>

#include "plugin/tls_ops.h"

struct openssl_context {
	SSL_CTX *ssl;
	struct tls_settings settings;
	unsigned char *protocols; /* owned: ALPN, as on the wire; NULL: none */
	unsigned protocols_size;
	char pin[TLS_PIN_SIZE]; /* of the own certificate; empty: there is none */
};

/* See struct tls_ops. */
void *openssl_context_new(const struct tls_settings *settings, struct fault *fault);
void openssl_context_free(void *state);
const char *openssl_context_pin(void *state);

/* Sets STATUS_CREDENTIALS: "use WHAT 'FILE'", and why the library failed. Returns false. */
bool openssl_context_fail(const char *what, const char *file, struct fault *fault);

/* Why the library failed, from its queue of errors, which is emptied. */
const char *openssl_context_reason(void);

#endif
