/* Pins of public keys, in the form of curl: sha256//BASE64 of the key as in a certificate. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_PIN_H
#define SOCKCAT_PLUGIN_OPENSSL_PIN_H

#include <openssl/x509.h>

#include "plugin/tls_ops.h"

/* Whether the text has the form of a pin. */
bool openssl_pin_is_one(const char *text, size_t length);

/* Whether the list, separated by ';', consists of pins. False with STATUS_VALUE. */
bool openssl_pin_check(const char *pins, struct fault *fault);

/* Writes the pin of a certificate; "": there is no certificate, or no memory. */
void openssl_pin_print(X509 *certificate, char text[static TLS_PIN_SIZE]);

/* Whether the list has the pin. */
bool openssl_pin_matches(const char *pins, const char *pin);

#endif
