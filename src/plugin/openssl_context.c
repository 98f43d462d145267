/* The context of all TLS sessions of a run. */
#include "plugin/openssl_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "plugin/openssl_allow.h"
#include "plugin/openssl_datagrams.h"
#include "plugin/openssl_listen.h"
#include "plugin/openssl_names.h"
#include "plugin/openssl_pin.h"
#include "plugin/openssl_policy.h"
#include "plugin/openssl_psk.h"
#include "plugin/openssl_self.h"
#include "plugin/openssl_session.h"
#include "plugin/openssl_trust.h"
#include "plugin/openssl_verify.h"

/* The size of the buffer for reading ahead: four full records of TLS 1.3 with AES-GCM, and the
 * library's alignment, so that a read ends with a record. Memory of 128 KiB would be mapped again
 * each time. */
#define OPENSSL_CONTEXT_AHEAD (4 * 16406 + 3)

const char *
openssl_context_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_GET_LIB(code) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(code))
							      : ERR_reason_error_string(code);
	ERR_clear_error();
	return reason != NULL ? reason : "the library failed";
}

bool
openssl_context_fail(enum openssl_format format, const char *file, struct fault *fault)
{
	const char *reason = openssl_context_reason(), *cause = openssl_format_fault(format, file);
	return fault_set(fault, STATUS_CREDENTIALS, 0, "use %s '%s': %s",
		openssl_format_name(format), file, cause != NULL ? cause : reason);
}

/* For a key that is encrypted. */
struct openssl_context_passphrase {
	const char *text; /* NULL: none */
	bool asked;
};

/* Nothing is asked for: the terminal may be the data. */
static int
openssl_context_put_passphrase(char *text, int size, int writes, void *state)
{
	struct openssl_context_passphrase *passphrase = state;
	size_t length = passphrase->text != NULL ? strlen(passphrase->text) : SIZE_MAX;
	(void)writes;
	passphrase->asked = true;
	if (length > (size_t)size)
		return -1;
	memcpy(text, passphrase->text, length);
	return (int)length;
}

static bool
openssl_context_load_key(
	SSL_CTX *ssl, const struct tls_settings *settings, const char *key, struct fault *fault)
{
	struct openssl_context_passphrase passphrase = { settings->passphrase, false };
	SSL_CTX_set_default_passwd_cb(ssl, openssl_context_put_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ssl, &passphrase);
	bool good = SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
	if (good)
		return true;
	if (!passphrase.asked)
		return openssl_context_fail(OPENSSL_FORMAT_KEY, key, fault);
	ERR_clear_error();
	return fault_set(fault, STATUS_CREDENTIALS, 0, "use key '%s': %s", key,
		settings->passphrase != NULL
			? "the passphrase of --ssl-pass-file does not decrypt it"
			: "it is encrypted (--ssl-pass-file FILE)");
}

bool
openssl_context_load(
	SSL_CTX *ssl, const struct tls_settings *settings, size_t number, struct fault *fault)
{
	const struct tls_identity *identity = &settings->identities[number];
	const char *cert = identity->cert, *key = identity->key != NULL ? identity->key : cert;
	if (SSL_CTX_use_certificate_chain_file(ssl, cert) != 1)
		return openssl_context_fail(OPENSSL_FORMAT_CERTIFICATE, cert, fault);
	if (!openssl_context_load_key(ssl, settings, key, fault))
		return false;
	/* A key of another kind is kept beside the certificate. */
	return SSL_CTX_get0_certificate(ssl) != NULL ||
		fault_set(fault, STATUS_CREDENTIALS, 0,
			"use key '%s': certificate '%s' has another kind of key", key, cert);
}

static bool
openssl_context_identify(struct openssl_context *context, const struct openssl_context *previous,
	struct fault *fault)
{
	const struct tls_settings *settings = &context->settings;
	/* Clients know its pin. */
	if (settings->self_signed && previous != NULL)
		return SSL_CTX_use_cert_and_key(context->ssl,
			       SSL_CTX_get0_certificate(previous->ssl),
			       SSL_CTX_get0_privatekey(previous->ssl), NULL, 1) == 1 ||
			openssl_context_fail(OPENSSL_FORMAT_CERTIFICATE, "self-signed", fault);
	if (settings->self_signed)
		return openssl_self_make(context->ssl, settings->host) ||
			openssl_context_fail(OPENSSL_FORMAT_CERTIFICATE, "self-signed", fault);
	return settings->identity_count == 0 ||
		(openssl_context_load(context->ssl, settings, 0, fault) &&
			openssl_names_set(context, fault));
}

/* From "a,b" to the form on the wire: each name after its length. */
static bool
openssl_context_parse_protocols(struct openssl_context *context, struct fault *fault)
{
	const char *text = context->settings.alpn;
	size_t length = strlen(text);
	context->protocols = malloc(length + 1);
	if (context->protocols == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	for (size_t at = 0; at <= length;) {
		size_t part = strcspn(text + at, ",");
		if (part == 0 || part > 255 || length > UINT16_MAX)
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --ssl-alpn '%s': expected names separated by commas",
				text);
		context->protocols[at] = (unsigned char)part;
		memcpy(context->protocols + at + 1, text + at, part);
		at += part + 1;
	}
	context->protocols_size = (unsigned)length + 1;
	return true;
}

/* RFC 7301: without a common protocol the handshake fails. */
static int
openssl_context_select(SSL *ssl, const unsigned char **out, unsigned char *size,
	const unsigned char *in, unsigned in_size, void *state)
{
	const struct openssl_context *context = state;
	unsigned char *selected;
	(void)ssl;
	if (SSL_select_next_proto(&selected, size, context->protocols, context->protocols_size, in,
		    in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

static bool
openssl_context_set_protocols(struct openssl_context *context, struct fault *fault)
{
	if (context->settings.alpn == NULL)
		return true;
	if (!openssl_context_parse_protocols(context, fault))
		return false;
	if (context->settings.server)
		SSL_CTX_set_alpn_select_cb(context->ssl, openssl_context_select, context);
	else if (SSL_CTX_set_alpn_protos(
			 context->ssl, context->protocols, context->protocols_size) != 0)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	return true;
}

/* A handshake for each connection: without tickets a client that does not read has no unread data,
 * for which its system would reset the connection. */
static void
openssl_context_restrict(SSL_CTX *ssl, bool server)
{
	static const unsigned char id[] = "sockcat";
	(void)SSL_CTX_set_options(
		ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_num_tickets(ssl, 0);
	(void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	if (server)
		(void)SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1);
	(void)SSL_CTX_set_mode(ssl,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_default_read_buffer_len(ssl, OPENSSL_CONTEXT_AHEAD);
}

/* The line of a secret, for programs that decrypt captures. Failures are no reason to end. */
static void
openssl_context_log(const SSL *ssl, const char *line)
{
	const struct openssl_session *session = SSL_get_app_data(ssl);
	const struct iovec pieces[] = { { (void *)(uintptr_t)line, strlen(line) },
		{ (void *)(uintptr_t) "\n", 1 } };
	ssize_t ignored = writev(*session->context->settings.keylog, pieces, 2);
	(void)ignored;
}

static bool
openssl_context_set_up(struct openssl_context *context, const struct openssl_context *previous,
	struct fault *fault)
{
	const struct tls_settings *settings = &context->settings;
	openssl_context_restrict(context->ssl, settings->server);
	if (settings->datagrams)
		openssl_datagrams_set_up(context->ssl);
	if (settings->datagrams && settings->server && !openssl_listen_set_up(context, fault))
		return false;
	openssl_verify_set_up(context);
	if (settings->keys != NULL)
		openssl_psk_set_up(context);
	if (settings->keylog != NULL)
		SSL_CTX_set_keylog_callback(context->ssl, openssl_context_log);
	if (!openssl_policy_set(context->ssl, settings, fault) ||
		!openssl_context_identify(context, previous, fault) ||
		!openssl_context_set_protocols(context, fault) ||
		(settings->pins != NULL && !openssl_pin_check(settings->pins, fault)) ||
		!openssl_allow_check(settings, fault))
		return false;
	openssl_pin_print(SSL_CTX_get0_certificate(context->ssl), context->pin);
	bool verifies = settings->server ? settings->demanding
					 : !settings->unverified && settings->keys == NULL;
	return !verifies || openssl_trust_set(context->ssl, settings, fault);
}

static const SSL_METHOD *
openssl_context_method(const struct tls_settings *settings)
{
	if (settings->datagrams)
		return settings->server ? DTLS_server_method() : DTLS_client_method();
	return settings->server ? TLS_server_method() : TLS_client_method();
}

void *
openssl_context_new(const struct tls_settings *settings, void *previous, struct fault *fault)
{
	struct openssl_context *context = calloc(1, sizeof *context);
	ERR_clear_error();
	/* Without memory for the library's default context, a fetch would use one that does not
	 * exist. */
	if (context != NULL && OSSL_LIB_CTX_get0_global_default() != NULL)
		context->ssl = SSL_CTX_new(openssl_context_method(settings));
	if (context == NULL || context->ssl == NULL) {
		free(context);
		return fault_set(fault, STATUS_MEMORY, 0, "TLS: %s", openssl_context_reason()),
		       NULL;
	}
	context->users = 1;
	context->settings = *settings;
	if (openssl_context_set_up(context, previous, fault))
		return context;
	openssl_context_free(context);
	return NULL;
}

void
openssl_context_free(void *state)
{
	struct openssl_context *context = state;
	if (--context->users > 0)
		return;
	SSL_CTX_free(context->ssl);
	openssl_names_close(context);
	free(context->protocols);
	free(context);
}

const char *
openssl_context_pin(void *state)
{
	const struct openssl_context *context = state;
	return context->pin[0] != '\0' ? context->pin : NULL;
}
