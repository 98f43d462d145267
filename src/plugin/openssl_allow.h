/*
 * Which certificates of clients are allowed, besides that they are verified: a list of rules, of
 * which one has to match. URI:TEXT and DNS:NAME are entries of subjectAltName, CN:TEXT is a common
 * name of the subject, pin:sha256//BASE64 is the key.
 */
#ifndef SOCKCAT_PLUGIN_OPENSSL_ALLOW_H
#define SOCKCAT_PLUGIN_OPENSSL_ALLOW_H

#include <openssl/x509.h>

#include "plugin/tls_ops.h"

/* Whether all rules are well-formed. False with STATUS_VALUE. */
bool openssl_allow_check(const struct tls_settings *settings, struct fault *fault);

/* Whether a rule allows the certificate, or there are no rules. */
bool openssl_allow_permits(const struct tls_settings *settings, X509 *certificate);

/* Sets STATUS_CERTIFICATE: why the certificate of the peer is refused. */
void openssl_allow_explain(X509 *certificate, const char *peer, struct fault *fault);

#endif
