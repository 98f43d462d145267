/* What a context trusts: certificates of authorities, and their lists of revoked certificates. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_TRUST_H
#define SOCKCAT_PLUGIN_OPENSSL_TRUST_H

#include <openssl/ssl.h>

#include "plugin/tls_ops.h"

/* Whether the settings name trusted certificates. */
bool openssl_trust_is_given(const struct tls_settings *settings);

/* Sets them, or those of the system. False with STATUS_CREDENTIALS. */
bool openssl_trust_set(SSL_CTX *ssl, const struct tls_settings *settings, struct fault *fault);

#endif
