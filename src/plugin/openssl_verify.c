#include "plugin/openssl_verify.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/openssl_allow.h"
#include "plugin/openssl_pin.h"
#include "plugin/openssl_psk.h"
#include "plugin/openssl_staple.h"
#include "plugin/openssl_text.h"
#include "plugin/openssl_trust.h"

/* The most problems that a message names. */
#define OPENSSL_VERIFY_PROBLEMS 8

/* When the certificate was revoked. */
static char *
openssl_verify_revocation(X509_CRL *list, X509 *certificate)
{
	X509_REVOKED *entry = NULL;
	return list != NULL && X509_CRL_get0_by_cert(list, &entry, certificate) != 0
		? openssl_text_date(X509_REVOKED_get0_revocationDate(entry))
		: NULL;
}

/* What there is to say about a problem besides its name; NULL: nothing. The caller frees it. */
static char *
openssl_verify_detail(X509_STORE_CTX *store, X509 *certificate, int problem)
{
	X509_CRL *list = X509_STORE_CTX_get0_current_crl(store);
	switch (problem) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return openssl_text_date(X509_get0_notAfter(certificate));
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return openssl_text_date(X509_get0_notBefore(certificate));
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return openssl_text_subjects(certificate);
	case X509_V_ERR_CERT_REVOKED:
		return openssl_verify_revocation(list, certificate);
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return list != NULL ? openssl_text_date(X509_CRL_get0_nextUpdate(list)) : NULL;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return openssl_text_name(X509_get_issuer_name(certificate));
	default:
		return NULL;
	}
}

/* Whether the problem only follows from the one before. */
static bool
openssl_verify_follows(int problem)
{
	return problem == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
		problem == X509_V_ERR_CERT_UNTRUSTED;
}

/* Adds a problem to the refusal. */
static void
openssl_verify_add(struct openssl_session *session, X509_STORE_CTX *store)
{
	int problem = X509_STORE_CTX_get_error(store);
	int depth = X509_STORE_CTX_get_error_depth(store);
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	if (session->problems > 0 && openssl_verify_follows(problem))
		return;
	if (session->problems++ == 0) {
		session->problem = problem;
		(void)fault_set(&session->refusal, STATUS_CERTIFICATE, 0,
			"verify the certificate of %s: ", session->peer);
	} else if (session->problems > OPENSSL_VERIFY_PROBLEMS) {
		return;
	} else {
		fault_add(&session->refusal, "; ");
	}
	char *subject =
		certificate != NULL ? openssl_text_name(X509_get_subject_name(certificate)) : NULL;
	char *detail =
		certificate != NULL ? openssl_verify_detail(store, certificate, problem) : NULL;
	fault_add(&session->refusal, "%s%s%s%s (depth %d, %s)",
		X509_verify_cert_error_string(problem), detail != NULL ? " (" : "",
		detail != NULL ? detail : "", detail != NULL ? ")" : "", depth,
		subject != NULL && subject[0] != '\0' ? subject : "no subject");
	free(subject);
	free(detail);
}

static struct openssl_session *
openssl_verify_session(X509_STORE_CTX *store)
{
	return SSL_get_app_data(
		(SSL *)X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* Goes on after each problem, so that all are found; openssl_verify_decide refuses. */
static int
openssl_verify_note(int good, X509_STORE_CTX *store)
{
	if (!good)
		openssl_verify_add(openssl_verify_session(store), store);
	return 1;
}

static bool
openssl_verify_has_pin(struct openssl_session *session, X509_STORE_CTX *store)
{
	char pin[TLS_PIN_SIZE];
	openssl_pin_print(X509_STORE_CTX_get0_cert(store), pin);
	if (openssl_pin_matches(session->context->settings.pins, pin))
		return true;
	return fault_set(&session->refusal, STATUS_PIN, 0,
		"verify the certificate of %s: --pin does not match: its pin is %s", session->peer,
		pin);
}

/* Decides about the peer's certificate: 1 accepts it. A pin that matches is enough unless the
 * trusted certificates are given, too. */
static int
openssl_verify_decide(X509_STORE_CTX *store, void *state)
{
	struct openssl_session *session = openssl_verify_session(store);
	const struct tls_settings *settings = &session->context->settings;
	(void)state;
	if (settings->keys != NULL)
		openssl_psk_refuse(session);
	if (settings->keys != NULL ||
		(settings->pins != NULL && !openssl_verify_has_pin(session, store))) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (settings->unverified || (settings->pins != NULL && !openssl_trust_is_given(settings)))
		return 1;
	X509_STORE_CTX_set_verify_cb(store, openssl_verify_note);
	int good = X509_verify_cert(store);
	X509 *certificate = X509_STORE_CTX_get0_cert(store);
	if (good == 1 && session->problems == 0 && X509_STORE_CTX_get_error(store) == X509_V_OK) {
		if (openssl_allow_permits(settings, certificate))
			return 1;
		openssl_allow_explain(certificate, session->peer, &session->refusal);
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	if (session->problems == 0)
		openssl_verify_add(session, store);
	X509_STORE_CTX_set_error(
		store, session->problem != X509_V_OK ? session->problem : X509_V_ERR_UNSPECIFIED);
	return 0;
}

void
openssl_verify_set_up(struct openssl_context *context)
{
	int mode = !context->settings.server  ? SSL_VERIFY_PEER
		: context->settings.demanding ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
					      : SSL_VERIFY_NONE;
	SSL_CTX_set_verify(context->ssl, mode, NULL);
	SSL_CTX_set_cert_verify_callback(context->ssl, openssl_verify_decide, NULL);
	if (context->settings.stapled)
		openssl_staple_demand(context);
}

/* RFC 9525: names in subjectAltName only, and whole labels as wildcards. An address is no name: it
 * is not sent to the server (RFC 6066, 3). */
bool
openssl_verify_set_name(struct openssl_session *session)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);
	if (session->name == NULL)
		return true;
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	size_t length = strlen(session->name);
	char *name = strndup(session->name,
		length > 1 && session->name[length - 1] == '.' ? length - 1 : length);
	if (name == NULL)
		return false;
	/* The zone of a link-local address is of this machine only. */
	if (strchr(name, ':') != NULL)
		name[strcspn(name, "%")] = '\0';
	bool good = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	if (!good) {
		ERR_clear_error();
		good = X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
			SSL_set_tlsext_host_name(session->ssl, name) == 1;
	}
	free(name);
	return good;
}
