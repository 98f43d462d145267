/*
 * Verification of the peer's certificate: chain, dates, purpose, strength and name, and the pin.
 * Every problem is collected for the message; the handshake fails with the alert for the first.
 */
#ifndef SOCKCAT_PLUGIN_OPENSSL_VERIFY_H
#define SOCKCAT_PLUGIN_OPENSSL_VERIFY_H

#include "plugin/openssl_context.h"
#include "plugin/openssl_session.h"

/* Sets up what is verified in all sessions. */
void openssl_verify_set_up(struct openssl_context *context);

/* Sets the name or address that the server's certificate must have, and the name that it is asked
 * for. False: no memory. */
bool openssl_verify_set_name(struct openssl_session *session);

#endif
