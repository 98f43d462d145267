/* What a context negotiates: versions of TLS, cipher suites and groups. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_POLICY_H
#define SOCKCAT_PLUGIN_OPENSSL_POLICY_H

#include <openssl/ssl.h>

#include "plugin/tls_ops.h"

/*
 * Sets them. What the settings leave open is as the library's configuration (openssl.cnf) has it,
 * but at least TLS 1.2, and always with authentication and encryption. False with STATUS_VALUE or
 * STATUS_MEMORY.
 */
bool openssl_policy_set(SSL_CTX *ssl, const struct tls_settings *settings, struct fault *fault);

#endif
