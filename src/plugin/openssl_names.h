/*
 * Several certificates of a server: the client's server name chooses (RFC 6066). One that has the
 * name is better than one with a wildcard; if none has it, or there is no name, the first is sent.
 * Of certificates with the same names, one for each kind of key is offered.
 */
#ifndef SOCKCAT_PLUGIN_OPENSSL_NAMES_H
#define SOCKCAT_PLUGIN_OPENSSL_NAMES_H

#include "plugin/openssl_context.h"

/* Loads the certificates behind the first one of the settings, which the context has. False with
 * STATUS_CREDENTIALS or STATUS_MEMORY. */
bool openssl_names_set(struct openssl_context *context, struct fault *fault);

/* Frees them. */
void openssl_names_close(struct openssl_context *context);

#endif
