/* The BIO of a session: it calls the stream below. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_BIO_H
#define SOCKCAT_PLUGIN_OPENSSL_BIO_H

#include <openssl/bio.h>

#include "plugin/tls_ops.h"

/* The bottom has to outlive the BIO. NULL: no memory. */
BIO *openssl_bio_new(const struct tls_bottom *bottom);

#endif
