/* One TLS connection, by OpenSSL on a BIO (openssl_bio.h) that calls the stream below. */
#include "plugin/openssl_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin/openssl_bio.h"
#include "plugin/openssl_datagrams.h"
#include "plugin/openssl_pin.h"
#include "plugin/openssl_psk.h"
#include "plugin/openssl_text.h"
#include "plugin/openssl_verify.h"

/* Received alerts are reasons from this number on. */
#define OPENSSL_SESSION_ALERTS SSL_AD_REASON_OFFSET
#define OPENSSL_SESSION_IS_ALERT(reason) \
	((reason) >= OPENSSL_SESSION_ALERTS && (reason) < OPENSSL_SESSION_ALERTS + 256)

/* Whether the alert is about the certificate that the peer got, or did not get. */
static bool
openssl_session_refuses(int alert)
{
	return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
		alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED ||
		alert == SSL_AD_CERTIFICATE_REQUIRED;
}

/* Its name, also where OpenSSL 3.0 has none. */
static const char *
openssl_session_alert_name(int alert)
{
	return alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required"
		: alert == SSL_AD_MISSING_EXTENSION ? "missing extension"
						    : SSL_alert_desc_string_long(alert);
}

/* Whether the alert is about a client certificate that the server has requested, and not got. */
static bool
openssl_session_lacks(const struct openssl_session *session, int alert)
{
	if (session->context->settings.server || SSL_get_certificate(session->ssl) != NULL)
		return false;
	return alert == SSL_AD_CERTIFICATE_REQUIRED ||
		(alert == SSL_AD_HANDSHAKE_FAILURE &&
			SSL_get0_certificate_types(session->ssl, NULL) > 0);
}

static void
openssl_session_explain_alert(const struct openssl_session *session, int alert, struct fault *fault)
{
	const char *text = openssl_session_alert_name(alert);
	bool refuses = openssl_session_refuses(alert);
	bool lacks = openssl_session_lacks(session, alert);
	if (!refuses && session->established)
		(void)fault_set(fault, STATUS_RECEIVE, 0,
			"receive from %s: the peer sent the alert \"%s\"", session->peer, text);
	else
		(void)fault_set(fault, STATUS_TLS, 0, "TLS handshake with %s: the peer %s \"%s\"",
			session->peer,
			refuses && !lacks ? "refused our certificate:" : "sent the alert", text);
	if (lacks)
		fault_add(fault, "; it requires a client certificate, see --ssl-cert");
	if (session->identity != NULL && !session->established)
		fault_add(fault, "; do both sides have the same key for '%s'?", session->identity);
}

/* Sets the fault from the queue of errors. */
static void
openssl_session_explain(struct openssl_session *session, struct fault *fault)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	if (fault_is_set(&session->refusal))
		fault_move(fault, &session->refusal);
	else if (reason == ERR_R_MALLOC_FAILURE)
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS with %s", session->peer);
	else if (ERR_GET_LIB(code) == ERR_LIB_SSL && OPENSSL_SESSION_IS_ALERT(reason))
		openssl_session_explain_alert(session, reason - OPENSSL_SESSION_ALERTS, fault);
	else if (session->established)
		(void)fault_set(fault, STATUS_RECEIVE, 0, "receive from %s: %s", session->peer,
			openssl_context_reason());
	else if (session->context->settings.keys != NULL && session->context->settings.server)
		openssl_psk_explain(session, fault);
	else
		(void)fault_set(fault, STATUS_TLS, 0, "TLS handshake with %s: %s", session->peer,
			openssl_context_reason());
}

enum io
openssl_session_result(struct openssl_session *session, int n, struct fault *fault)
{
	switch (SSL_get_error(session->ssl, n)) {
	case SSL_ERROR_NONE:
		return IO_OK;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return IO_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return IO_END;
	case SSL_ERROR_SYSCALL:
		return IO_FAIL;
	default:
		openssl_session_explain(session, fault);
		return IO_FAIL;
	}
}

/* The same of a call that writes. Once the peer has sent close_notify, the library calls every
 * failure of the bottom SSL_ERROR_ZERO_RETURN. */
static enum io
openssl_session_wrote(struct openssl_session *session, int n, struct fault *fault)
{
	enum io result = openssl_session_result(session, n, fault);
	return result == IO_END ? IO_FAIL : result;
}

static bool
openssl_session_set_up(struct openssl_session *session)
{
	BIO *bio = openssl_bio_new(&session->bottom);
	if (bio == NULL)
		return false;
	SSL_set_bio(session->ssl, bio, bio);
	if (session->context->settings.datagrams)
		openssl_datagrams_set_max(session, TLS_DATAGRAM_MIN);
	if (SSL_set_app_data(session->ssl, session) != 1)
		return false;
	if (session->context->settings.server) {
		SSL_set_accept_state(session->ssl);
		return true;
	}
	SSL_set_connect_state(session->ssl);
	return openssl_verify_set_name(session);
}

void *
openssl_session_new(void *context, const struct tls_bottom *bottom, const char *peer,
	const char *name, struct fault *fault)
{
	struct openssl_session *session = calloc(1, sizeof *session);
	ERR_clear_error();
	if (session != NULL) {
		session->context = context;
		session->context->users++;
		session->bottom = *bottom;
		if (session->context->settings.datagrams)
			openssl_datagrams_set_below(session, bottom);
		session->peer = strdup(peer);
		session->name = name;
		session->ssl = SSL_new(session->context->ssl);
	}
	if (session != NULL && session->peer != NULL && session->ssl != NULL &&
		openssl_session_set_up(session))
		return session;
	if (session != NULL)
		openssl_session_free(session);
	(void)fault_set(fault, STATUS_MEMORY, 0, "TLS with %s: %s", peer, openssl_context_reason());
	return NULL;
}

void
openssl_session_free(void *state)
{
	struct openssl_session *session = state;
	SSL_free(session->ssl);
	openssl_context_free(session->context);
	fault_clear(&session->refusal);
	free(session->peer);
	free(session->subject);
	free(session->common_name);
	free(session);
}

enum io
openssl_session_handshake(void *state, struct fault *fault)
{
	struct openssl_session *session = state;
	ERR_clear_error();
	enum io result = openssl_session_result(session, SSL_do_handshake(session->ssl), fault);
	session->established = result == IO_OK;
	/* The end of the connection by close_notify, before the handshake was over. */
	if (result == IO_END)
		return IO_FAULT(fault, STATUS_TLS, 0,
			"TLS handshake with %s: the peer closed the connection", session->peer);
	return result;
}

/* Describes the peer's certificate. */
static void
openssl_session_describe_peer(
	struct openssl_session *session, X509 *certificate, struct tls_facts *facts)
{
	const ASN1_TIME *end = X509_get0_notAfter(certificate);
	struct tm date;
	int days = 0, seconds = 0;
	openssl_pin_print(certificate, session->pin);
	if (session->subject == NULL)
		session->subject = openssl_text_name(X509_get_subject_name(certificate));
	if (session->common_name == NULL)
		session->common_name = openssl_text_common_name(certificate);
	if (ASN1_TIME_to_tm(end, &date) == 1)
		(void)strftime(
			session->expires, sizeof session->expires, "%Y-%m-%dT%H:%M:%SZ", &date);
	if (ASN1_TIME_diff(&days, &seconds, NULL, end) == 1 && days > 0)
		facts->days = (uint64_t)days;
	facts->pin = session->pin[0] != '\0' ? session->pin : NULL;
	facts->subject = session->subject;
	facts->common_name = session->common_name;
	facts->verified = !session->context->settings.unverified;
	facts->expires = session->expires[0] != '\0' ? session->expires : NULL;
}

void
openssl_session_describe(void *state, struct tls_facts *facts)
{
	struct openssl_session *session = state;
	SSL *ssl = session->ssl;
	const unsigned char *alpn;
	unsigned length;
	int group = (int)SSL_get_negotiated_group(ssl);
	SSL_get0_alpn_selected(ssl, &alpn, &length);
	if (length > 0 && length < sizeof session->alpn)
		memcpy(session->alpn, alpn, length);
	*facts = (struct tls_facts){
		.version = SSL_get_version(ssl),
		.cipher = SSL_get_cipher_name(ssl),
		.group = group != NID_undef ? SSL_group_to_name(ssl, group) : NULL,
		.alpn = length > 0 ? session->alpn : NULL,
		.server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
		.psk = session->identity,
	};
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	if (certificate != NULL)
		openssl_session_describe_peer(session, certificate, facts);
}

bool
openssl_session_certificate(void *state, size_t depth, struct tls_certificate *certificate)
{
	const struct openssl_session *session = state;
	STACK_OF(X509) *chain = SSL_get0_verified_chain(session->ssl);
	if (chain == NULL)
		chain = SSL_get_peer_cert_chain(session->ssl);
	X509 *found = sk_X509_value(chain, (int)depth);
	if (found == NULL)
		return false;
	certificate->subject = openssl_text_name(X509_get_subject_name(found));
	certificate->issuer = openssl_text_name(X509_get_issuer_name(found));
	return certificate->subject != NULL && certificate->issuer != NULL;
}

bool
openssl_session_peer_certificates(void *state, char **pem, struct fault *fault)
{
	const struct openssl_session *session = state;
	return openssl_text_peer(session->ssl, pem) ||
		fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS with %s", session->peer);
}

enum io
openssl_session_read(void *state, void *bytes, size_t size, size_t *got, struct fault *fault)
{
	struct openssl_session *session = state;
	ERR_clear_error();
	return openssl_session_result(session, SSL_read_ex(session->ssl, bytes, size, got), fault);
}

enum io
openssl_session_peek(void *state, struct fault *fault)
{
	struct openssl_session *session = state;
	char byte;
	size_t got;
	ERR_clear_error();
	return openssl_session_result(session, SSL_peek_ex(session->ssl, &byte, 1, &got), fault);
}

bool
openssl_session_pending(void *state)
{
	const struct openssl_session *session = state;
	return SSL_has_pending(session->ssl) == 1;
}

enum io
openssl_session_write(void *state, const void *bytes, size_t size, size_t *put, struct fault *fault)
{
	struct openssl_session *session = state;
	ERR_clear_error();
	if (size > SSL3_RT_MAX_PLAIN_LENGTH)
		size = SSL3_RT_MAX_PLAIN_LENGTH;
	return openssl_session_wrote(session, SSL_write_ex(session->ssl, bytes, size, put), fault);
}

enum io
openssl_session_shut(void *state, struct fault *fault)
{
	struct openssl_session *session = state;
	ERR_clear_error();
	int n = SSL_shutdown(session->ssl);
	/* 0: sent, and the peer's is not received yet. */
	return n >= 0 ? IO_OK : openssl_session_wrote(session, n, fault);
}
