/*
 * OCSP responses that the server staples to its certificate (RFC 6066, 8; RFC 6960). A client that
 * demands one refuses a server without it.
 */
#ifndef SOCKCAT_PLUGIN_OPENSSL_STAPLE_H
#define SOCKCAT_PLUGIN_OPENSSL_STAPLE_H

#include "plugin/openssl_context.h"
#include "plugin/openssl_session.h"

/* Demands one in all sessions of the context. */
void openssl_staple_demand(struct openssl_context *context);

#endif
