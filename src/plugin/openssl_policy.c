#include "plugin/openssl_policy.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/openssl_context.h"
#include "plugin/openssl_psk.h"

/* Behind every list of ciphers: a connection without a certificate would not be verified. */
#define OPENSSL_POLICY_NEVER ":!aNULL:!eNULL"

/* The number of a version 1.N in the protocol. */
static int
openssl_policy_version(unsigned minor)
{
	return TLS1_VERSION + (int)minor;
}

static bool
openssl_policy_set_versions(SSL_CTX *ssl, const struct tls_settings *settings, struct fault *fault)
{
	int least = openssl_policy_version(settings->least);
	if (settings->datagrams)
		return SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) == 1 &&
			SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) == 1;
	if (settings->keys != NULL) {
		least = TLS1_3_VERSION;
	} else if (settings->least == 0) {
		least = (int)SSL_CTX_get_min_proto_version(ssl);
		if (least < TLS1_2_VERSION)
			least = TLS1_2_VERSION;
	}
	(void)SSL_CTX_set_min_proto_version(ssl, least);
	if (settings->most != 0)
		(void)SSL_CTX_set_max_proto_version(ssl, openssl_policy_version(settings->most));
	int most = (int)SSL_CTX_get_max_proto_version(ssl);
	return most == 0 || most >= least ||
		fault_set(fault, STATUS_VALUE, 0,
			"no version of TLS: at least 1.%d is required, and at most 1.%d permitted "
			"(--tls-min, --tls-max, or OpenSSL's configuration)",
			least - TLS1_VERSION, most - TLS1_VERSION);
}

static bool
openssl_policy_refuse(const char *option, const char *list, struct fault *fault)
{
	const char *data = NULL;
	int flags = 0;
	(void)ERR_peek_error_data(&data, &flags);
	char *cause = data != NULL && data[0] != '\0' ? strdup(data) : NULL;
	const char *reason = openssl_context_reason();
	(void)fault_set(fault, STATUS_VALUE, 0, "invalid %s '%s': %s", option, list,
		cause != NULL ? cause : reason);
	free(cause);
	return false;
}

static bool
openssl_policy_set_ciphers(SSL_CTX *ssl, const char *list, struct fault *fault)
{
	size_t size = strlen(list) + sizeof OPENSSL_POLICY_NEVER;
	char *all = malloc(size);
	if (all == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	(void)snprintf(all, size, "%s" OPENSSL_POLICY_NEVER, list);
	bool good = SSL_CTX_set_cipher_list(ssl, all) == 1;
	free(all);
	return good || openssl_policy_refuse("--ssl-ciphers", list, fault);
}

/* The library skips names that it does not know, and takes a list without one that it does. */
static bool
openssl_policy_set_suites(SSL_CTX *ssl, const char *list, struct fault *fault)
{
	if (SSL_CTX_set_ciphersuites(ssl, list) != 1)
		return openssl_policy_refuse("--ssl-ciphersuites", list, fault);
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ssl);
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (strcmp(SSL_CIPHER_get_version(sk_SSL_CIPHER_value(all, i)), "TLSv1.3") == 0)
			return true;
	return fault_set(
		fault, STATUS_VALUE, 0, "invalid --ssl-ciphersuites '%s': no cipher match", list);
}

/* Whether the cipher of TLS 1.2 is offered by default: with authentication and encryption, and by a
 * server with forward secrecy, and not CBC. */
static bool
openssl_policy_offers(const SSL_CIPHER *cipher, bool server)
{
	int exchange = SSL_CIPHER_get_kx_nid(cipher);
	return strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") != 0 &&
		SSL_CIPHER_get_auth_nid(cipher) != NID_auth_null &&
		SSL_CIPHER_get_cipher_nid(cipher) != NID_undef &&
		(!server ||
			(SSL_CIPHER_is_aead(cipher) == 1 && exchange != NID_kx_rsa &&
				exchange != NID_kx_rsa_psk));
}

/* Leaves those of the system's list that are offered; without any there is no TLS 1.2. */
static bool
openssl_policy_narrow(SSL_CTX *ssl, bool server, struct fault *fault)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ssl);
	size_t size = 1, used = 0;
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		size += strlen(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i))) + 1;
	char *list = malloc(size);
	if (list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	list[0] = '\0';
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);
		if (openssl_policy_offers(cipher, server))
			used += (size_t)snprintf(
				list + used, size - used, "%s:", SSL_CIPHER_get_name(cipher));
	}
	bool good = used > 0 ? SSL_CTX_set_cipher_list(ssl, list) == 1
			     : SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1;
	free(list);
	return good || fault_set(fault, STATUS_MEMORY, 0, "TLS: %s", openssl_context_reason());
}

bool
openssl_policy_set(SSL_CTX *ssl, const struct tls_settings *settings, struct fault *fault)
{
	const char *suites = settings->keys != NULL ? OPENSSL_PSK_SUITES : settings->ciphersuites;
	const char *ciphers = settings->keys != NULL && settings->datagrams ? OPENSSL_PSK_CIPHERS
									    : settings->ciphers;
	if (settings->server)
		(void)SSL_CTX_set_options(
			ssl, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	if (!openssl_policy_set_versions(ssl, settings, fault) ||
		(ciphers == NULL && !openssl_policy_narrow(ssl, settings->server, fault)) ||
		(ciphers != NULL && !openssl_policy_set_ciphers(ssl, ciphers, fault)) ||
		(suites != NULL && !openssl_policy_set_suites(ssl, suites, fault)))
		return false;
	return settings->groups == NULL ||
		SSL_CTX_set1_groups_list(ssl, (char *)(uintptr_t)settings->groups) == 1 ||
		openssl_policy_refuse("--ssl-groups", settings->groups, fault);
}
