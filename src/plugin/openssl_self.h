/* A certificate of a server that signs it itself. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_SELF_H
#define SOCKCAT_PLUGIN_OPENSSL_SELF_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Makes a key and a certificate for one day and for this name or address (NULL or an unspecified
 * address: the names of this machine), and uses them. False: the library failed. */
bool openssl_self_make(SSL_CTX *ssl, const char *host);

#endif
