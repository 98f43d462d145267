#include "plugin/openssl_staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>

#include "plugin/openssl_text.h"

/* By how many seconds the clocks may differ. */
#define OPENSSL_STAPLE_SKEW 300

/* The age in seconds up to which a response without an end is accepted. */
#define OPENSSL_STAPLE_AGE (24 * 60 * 60L)

static bool
openssl_staple_refuse(struct openssl_session *session, const char *problem, const char *detail)
{
	return fault_set(&session->refusal, STATUS_CERTIFICATE, 0,
		"verify the certificate of %s: %s%s%s%s", session->peer, problem,
		detail != NULL ? " (" : "", detail != NULL ? detail : "",
		detail != NULL ? ")" : "");
}

static bool
openssl_staple_refuse_date(
	struct openssl_session *session, const char *problem, const ASN1_TIME *time)
{
	char *date = openssl_text_date(time);
	(void)openssl_staple_refuse(session, problem, date);
	free(date);
	return false;
}

/* Whether the entry of a response is about the certificate. */
static bool
openssl_staple_is_of(OCSP_SINGLERESP *entry, X509 *certificate, X509 *issuer)
{
	ASN1_OBJECT *digest = NULL;
	/* The functions that only read it take it without const. */
	OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(entry);
	(void)OCSP_id_get0_info(NULL, &digest, NULL, NULL, id);
	const EVP_MD *method = EVP_get_digestbyobj(digest);
	OCSP_CERTID *own = method != NULL ? OCSP_cert_to_id(method, certificate, issuer) : NULL;
	bool same = own != NULL && OCSP_id_cmp(own, id) == 0;
	OCSP_CERTID_free(own);
	return same;
}

static OCSP_SINGLERESP *
openssl_staple_find(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++)
		if (openssl_staple_is_of(OCSP_resp_get0(basic, i), certificate, issuer))
			return OCSP_resp_get0(basic, i);
	return NULL;
}

/* Whether the entry says that the certificate is good now. */
static bool
openssl_staple_check(struct openssl_session *session, OCSP_SINGLERESP *entry)
{
	ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
	int reason;
	switch (OCSP_single_get0_status(entry, &reason, &revoked, &from, &to)) {
	case V_OCSP_CERTSTATUS_GOOD:
		break;
	case V_OCSP_CERTSTATUS_REVOKED:
		return openssl_staple_refuse_date(session, "certificate revoked", revoked);
	default:
		return openssl_staple_refuse(
			session, "the OCSP response does not know the certificate", NULL);
	}
	if (OCSP_check_validity(
		    from, to, OPENSSL_STAPLE_SKEW, to == NULL ? OPENSSL_STAPLE_AGE : -1) == 1)
		return true;
	return to == NULL
		? openssl_staple_refuse_date(session, "the OCSP response is too old", from)
		: openssl_staple_refuse_date(session, "the OCSP response is not valid now", to);
}

static bool
openssl_staple_verify_basic(struct openssl_session *session, OCSP_BASICRESP *basic)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(session->ssl);
	X509_STORE *store = SSL_CTX_get_cert_store(session->context->ssl);
	if (OCSP_basic_verify(basic, chain, store, 0) != 1)
		return openssl_staple_refuse(
			session, "the OCSP response cannot be verified", openssl_context_reason());
	/* A certificate that is trusted itself has no other issuer. */
	X509 *certificate = sk_X509_value(chain, 0),
	     *issuer = sk_X509_value(chain, sk_X509_num(chain) > 1);
	OCSP_SINGLERESP *entry = openssl_staple_find(basic, certificate, issuer);
	if (entry == NULL)
		return openssl_staple_refuse(
			session, "the OCSP response is for another certificate", NULL);
	return openssl_staple_check(session, entry);
}

static bool
openssl_staple_verify(struct openssl_session *session, const unsigned char *bytes, long size)
{
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, size);
	if (response == NULL)
		return openssl_staple_refuse(session, "the OCSP response is malformed", NULL);
	int status = OCSP_response_status(response);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	bool good = false;
	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		(void)openssl_staple_refuse(
			session, "the OCSP responder failed", OCSP_response_status_str(status));
	else if (basic == NULL)
		(void)openssl_staple_refuse(session, "the OCSP response is malformed", NULL);
	else
		good = openssl_staple_verify_basic(session, basic);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return good;
}

/* Called when the certificate of the server is verified, also if there is no response. */
static int
openssl_staple_decide(SSL *ssl, void *state)
{
	const unsigned char *bytes = NULL;
	long size = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
	struct openssl_session *session = SSL_get_app_data(ssl);
	(void)state;
	bool good = bytes != NULL && size > 0
		? openssl_staple_verify(session, bytes, size)
		: openssl_staple_refuse(session, "the server sent no OCSP response", NULL);
	ERR_clear_error();
	return good;
}

void
openssl_staple_demand(struct openssl_context *context)
{
	(void)SSL_CTX_set_tlsext_status_type(context->ssl, TLSEXT_STATUSTYPE_ocsp);
	(void)SSL_CTX_set_tlsext_status_cb(context->ssl, openssl_staple_decide);
}
