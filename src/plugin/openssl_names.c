#include "plugin/openssl_names.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* The context that has the certificate of this number. */
static SSL_CTX *
openssl_names_holder(const struct openssl_context *context, size_t i)
{
	return i == 0 ? context->ssl : context->others[i - 1];
}

/* Adds a certificate of which nothing else has the kind of key. */
static bool
openssl_names_use(SSL *ssl, SSL_CTX *holder)
{
	STACK_OF(X509) *chain = NULL;
	(void)SSL_CTX_get0_chain_certs(holder, &chain);
	(void)ERR_set_mark();
	bool good = SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(holder),
			    SSL_CTX_get0_privatekey(holder), chain, 0) == 1;
	(void)ERR_pop_to_mark();
	return good;
}

/* Uses all certificates that have the name. False: there is none. */
static bool
openssl_names_find(
	const struct openssl_context *context, SSL *ssl, const char *name, unsigned flags)
{
	bool found = false;
	for (size_t i = 0; i <= context->other_count; i++) {
		SSL_CTX *holder = openssl_names_holder(context, i);
		if (X509_check_host(SSL_CTX_get0_certificate(holder), name, 0,
			    flags | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1)
			continue;
		if (!found)
			SSL_certs_clear(ssl);
		found = true;
		(void)openssl_names_use(ssl, holder);
	}
	return found;
}

/* Chooses by the name in the ClientHello. */
static int
openssl_names_select(SSL *ssl, int *alert, void *state)
{
	const struct openssl_context *context = state;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert;
	bool found = name != NULL &&
		(openssl_names_find(context, ssl, name, X509_CHECK_FLAG_NO_WILDCARDS) ||
			openssl_names_find(
				context, ssl, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS));
	return found ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* The subjectAltName as it is in the certificate; NULL: it has none. */
static const ASN1_OCTET_STRING *
openssl_names_of(const X509 *certificate)
{
	int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
	return at == -1 ? NULL : X509_EXTENSION_get_data(X509_get_ext(certificate, at));
}

/* Offers the certificate besides the first one, if it has the same names and another kind of key.
 */
static void
openssl_names_pair(SSL_CTX *first, SSL_CTX *holder)
{
	X509 *certificate = SSL_CTX_get0_certificate(holder);
	const ASN1_OCTET_STRING *names = openssl_names_of(certificate);
	const ASN1_OCTET_STRING *wanted = openssl_names_of(SSL_CTX_get0_certificate(first));
	STACK_OF(X509) *chain = NULL;
	if (names == NULL || wanted == NULL || ASN1_OCTET_STRING_cmp(names, wanted) != 0)
		return;
	(void)SSL_CTX_get0_chain_certs(holder, &chain);
	(void)SSL_CTX_use_cert_and_key(
		first, certificate, SSL_CTX_get0_privatekey(holder), chain, 0);
	ERR_clear_error();
}

static bool
openssl_names_load(struct openssl_context *context, size_t i, struct fault *fault)
{
	SSL_CTX *holder = SSL_CTX_new(TLS_server_method());
	if (holder == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "TLS: %s", openssl_context_reason());
	context->others[context->other_count++] = holder;
	return openssl_context_load(holder, &context->settings, i, fault);
}

bool
openssl_names_set(struct openssl_context *context, struct fault *fault)
{
	size_t count = context->settings.identity_count;
	if (count < 2)
		return true;
	context->others = calloc(count - 1, sizeof *context->others);
	if (context->others == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	for (size_t i = 1; i < count; i++)
		if (!openssl_names_load(context, i, fault))
			return false;
	SSL_CTX *first = context->ssl;
	X509 *certificate = SSL_CTX_get0_certificate(first);
	for (size_t i = 0; i < context->other_count; i++)
		openssl_names_pair(first, context->others[i]);
	/* The last that was added is the current one. */
	if (SSL_CTX_select_current_cert(first, certificate) != 1)
		return fault_set(fault, STATUS_MEMORY, 0, "TLS: %s", openssl_context_reason());
	(void)SSL_CTX_set_tlsext_servername_arg(first, context);
	(void)SSL_CTX_set_tlsext_servername_callback(first, openssl_names_select);
	return true;
}

void
openssl_names_close(struct openssl_context *context)
{
	for (size_t i = 0; i < context->other_count; i++)
		SSL_CTX_free(context->others[i]);
	free(context->others);
}
