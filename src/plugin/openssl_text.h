/* Parts of certificates as text. The caller frees a text; NULL: no memory. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_TEXT_H
#define SOCKCAT_PLUGIN_OPENSSL_TEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* A name as "CN=example.org,O=Example" (RFC 2253). */
char *openssl_text_name(const X509_NAME *name);

/* The first common name of the subject, in UTF-8; NULL: also if there is none, or it has a NUL. */
char *openssl_text_common_name(X509 *certificate);

/* A time as "Nov 29 12:00:00 2026 GMT". */
char *openssl_text_date(const ASN1_TIME *time);

/* The names and addresses that a certificate is for, as a sentence. */
char *openssl_text_subjects(X509 *certificate);

/* The certificates that a peer has sent, its own first, in PEM; NULL: there are none.
 * False: no memory. */
bool openssl_text_peer(SSL *ssl, char **pem);

#endif
