#include "plugin/openssl_text.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The content of a memory BIO, which is freed; the caller frees the text. NULL: no memory. */
static char *
openssl_text_take(BIO *bio)
{
	char *bytes = NULL;
	long length = bio != NULL ? BIO_get_mem_data(bio, &bytes) : 0;
	char *text = bio != NULL ? strndup(length > 0 ? bytes : "", (size_t)length) : NULL;
	BIO_free(bio);
	return text;
}

char *
openssl_text_name(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio != NULL)
		(void)X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	return openssl_text_take(bio);
}

char *
openssl_text_common_name(X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int i = X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)subject, NID_commonName, -1);
	unsigned char *bytes = NULL;
	int n = i < 0 ? -1
		      : ASN1_STRING_to_UTF8(
				&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
	char *text = n > 0 && memchr(bytes, '\0', (size_t)n) == NULL
		? strndup((const char *)bytes, (size_t)n)
		: NULL;
	OPENSSL_free(bytes);
	return text;
}

char *
openssl_text_date(const ASN1_TIME *time)
{
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio != NULL)
		(void)ASN1_TIME_print(bio, time);
	return openssl_text_take(bio);
}

char *
openssl_text_subjects(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	if (bio != NULL && names == NULL)
		(void)BIO_puts(bio, "the certificate has no subjectAltName");
	else if (bio != NULL)
		(void)BIO_puts(bio, "the certificate is for ");
	for (int i = 0; bio != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		if (i > 0)
			(void)BIO_puts(bio, ", ");
		(void)GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
	}
	GENERAL_NAMES_free(names);
	return openssl_text_take(bio);
}

bool
openssl_text_peer(SSL *ssl, char **pem)
{
	X509 *own = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	*pem = NULL;
	if (own == NULL)
		return true;
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = bio != NULL && PEM_write_bio_X509(bio, own) == 1;
	/* A server's chain of a client does not begin with the client's own. */
	for (int i = 0; good && i < sk_X509_num(chain); i++)
		good = (i == 0 && X509_cmp(sk_X509_value(chain, 0), own) == 0) ||
			PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
	if (good)
		*pem = openssl_text_take(bio);
	else
		BIO_free(bio);
	return *pem != NULL;
}
