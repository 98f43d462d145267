#include "plugin/openssl_self.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#define OPENSSL_SELF_DAY (24 * 60 * 60L)

/* Adds one name or address to subjectAltName. */
static bool
openssl_self_add_name(GENERAL_NAMES *names, const char *text)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	ASN1_IA5STRING *dns = address == NULL ? ASN1_IA5STRING_new() : NULL;
	GENERAL_NAME *name = GENERAL_NAME_new();
	if (name == NULL || (address == NULL && dns == NULL) ||
		(dns != NULL && ASN1_STRING_set(dns, text, -1) != 1)) {
		ASN1_OCTET_STRING_free(address);
		ASN1_IA5STRING_free(dns);
		GENERAL_NAME_free(name);
		return false;
	}
	if (address != NULL)
		GENERAL_NAME_set0_value(name, GEN_IPADD, address);
	else
		GENERAL_NAME_set0_value(name, GEN_DNS, dns);
	if (sk_GENERAL_NAME_push(names, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

/* Whether the text is an unspecified address (0.0.0.0, ::), to which no client connects. */
static bool
openssl_self_is_any(const char *text)
{
	static const unsigned char any[16];
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	bool result = address != NULL &&
		memcmp(ASN1_STRING_get0_data(address), any, (size_t)ASN1_STRING_length(address)) ==
			0;
	ASN1_OCTET_STRING_free(address);
	return result;
}

static bool
openssl_self_set_names(X509 *certificate, const char *host)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	char own[HOST_NAME_MAX + 1];
	bool good = names != NULL;
	if (host != NULL && !openssl_self_is_any(host)) {
		good = good && openssl_self_add_name(names, host);
	} else {
		good = good && openssl_self_add_name(names, "localhost") &&
			openssl_self_add_name(names, "127.0.0.1") &&
			openssl_self_add_name(names, "::1");
		own[sizeof own - 1] = '\0';
		if (good && gethostname(own, sizeof own - 1) == 0 && own[0] != '\0')
			good = openssl_self_add_name(names, own);
	}
	good = good &&
		X509_add1_ext_i2d(
			certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(names);
	return good;
}

/* A random serial number of 64 bits, positive and not 0. */
static bool
openssl_self_set_serial(X509 *certificate)
{
	uint64_t number;
	return RAND_bytes((unsigned char *)&number, sizeof number) == 1 &&
		ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1 | 1) == 1;
}

/* Valid from an hour ago, as the clocks of clients differ. */
static bool
openssl_self_fill(X509 *certificate, EVP_PKEY *key, const char *host)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	return X509_set_version(certificate, X509_VERSION_3) == 1 &&
		openssl_self_set_serial(certificate) &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -60 * 60) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(certificate), OPENSSL_SELF_DAY) != NULL &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"sockcat self-signed", -1, -1, 0) == 1 &&
		X509_set_issuer_name(certificate, name) == 1 &&
		X509_set_pubkey(certificate, key) == 1 &&
		openssl_self_set_names(certificate, host) &&
		X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool
openssl_self_make(SSL_CTX *ssl, const char *host)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	bool good = key != NULL && certificate != NULL &&
		openssl_self_fill(certificate, key, host) &&
		SSL_CTX_use_certificate(ssl, certificate) == 1 &&
		SSL_CTX_use_PrivateKey(ssl, key) == 1;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return good;
}
