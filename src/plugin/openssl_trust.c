/*
 * Certificates of a directory are looked up by the hashes of their names when one is needed:
 * SSL_CTX_set_default_verify_paths would parse all certificates of the system at the start.
 */
#include "plugin/openssl_trust.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/openssl_context.h"

/* The digits of a hash, which names a certificate in a directory: "5ed36f99.0". */
#define OPENSSL_TRUST_DIGITS 8

/* Separates directories. */
#define OPENSSL_TRUST_SEPARATOR ":"

bool
openssl_trust_is_given(const struct tls_settings *settings)
{
	return settings->trust_file != NULL || settings->trust_directory != NULL;
}

/* A variable of the environment that a caller with fewer privileges cannot have set. */
static const char *
openssl_trust_variable(const char *name)
{
	return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
}

static bool
openssl_trust_add_file(X509_STORE *store, const char *file, struct fault *fault)
{
	return X509_STORE_load_file(store, file) == 1 ||
		openssl_context_fail(OPENSSL_FORMAT_TRUSTED, file, fault);
}

static bool
openssl_trust_add_directories(X509_STORE *store, const char *list, struct fault *fault)
{
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	return (lookup != NULL && X509_LOOKUP_add_dir(lookup, list, X509_FILETYPE_PEM) == 1) ||
		openssl_context_fail(OPENSSL_FORMAT_TRUSTED, list, fault);
}

/* Whether the directory has a certificate under its hash. Closes it. */
static bool
openssl_trust_has_hash(DIR *directory)
{
	const struct dirent *entry;
	bool found = false;
	while (!found && (entry = readdir(directory)) != NULL)
		found = strspn(entry->d_name, "0123456789abcdef") == OPENSSL_TRUST_DIGITS &&
			entry->d_name[OPENSSL_TRUST_DIGITS] == '.';
	(void)closedir(directory);
	return found;
}

/* Checks the directories of a list: from one without hashes the library gets nothing. */
static bool
openssl_trust_check(const char *list, struct fault *fault)
{
	char *copy = strdup(list), *state = NULL;
	if (copy == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS");
	char *one = strtok_r(copy, OPENSSL_TRUST_SEPARATOR, &state);
	if (one == NULL)
		(void)fault_set(fault, STATUS_CREDENTIALS, ENOENT,
			"use trusted certificates in '%s'", list);
	for (; one != NULL && !fault_is_set(fault);
		one = strtok_r(NULL, OPENSSL_TRUST_SEPARATOR, &state)) {
		DIR *directory = opendir(one);
		if (directory == NULL)
			(void)fault_set(fault, STATUS_CREDENTIALS, errno,
				"use trusted certificates in '%s'", one);
		else if (!openssl_trust_has_hash(directory))
			(void)fault_set(fault, STATUS_CREDENTIALS, 0,
				"use trusted certificates in '%s': none has the hash of its name "
				"as file name; run: openssl rehash DIRECTORY",
				one);
	}
	free(copy);
	return !fault_is_set(fault);
}

/* SSL_CERT_FILE is read besides the directory, which SSL_CERT_DIR replaces. The file of the system
 * holds the same certificates as its directory and is not read. */
static bool
openssl_trust_set_system(X509_STORE *store, struct fault *fault)
{
	const char *file = openssl_trust_variable(X509_get_default_cert_file_env());
	const char *list = openssl_trust_variable(X509_get_default_cert_dir_env());
	return (file == NULL || openssl_trust_add_file(store, file, fault)) &&
		openssl_trust_add_directories(
			store, list != NULL ? list : X509_get_default_cert_dir(), fault);
}

/* Clients choose a certificate by the names of the authorities. Those of a directory are not read:
 * without names a client sends what it has. */
static bool
openssl_trust_name(SSL_CTX *ssl, const struct tls_settings *settings, struct fault *fault)
{
	if (!settings->demanding || settings->trust_file == NULL ||
		settings->trust_directory != NULL)
		return true;
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(settings->trust_file);
	if (names == NULL)
		return openssl_context_fail(OPENSSL_FORMAT_TRUSTED, settings->trust_file, fault);
	SSL_CTX_set_client_CA_list(ssl, names);
	return true;
}

/* Each certificate of a chain has to be covered by a list of its issuer. */
static bool
openssl_trust_set_revoked(SSL_CTX *ssl, const char *file, struct fault *fault)
{
	X509_LOOKUP *lookup =
		X509_STORE_add_lookup(SSL_CTX_get_cert_store(ssl), X509_LOOKUP_file());
	if (lookup == NULL || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) <= 0)
		return openssl_context_fail(OPENSSL_FORMAT_REVOKED, file, fault);
	return X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl),
		       X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

bool
openssl_trust_set(SSL_CTX *ssl, const struct tls_settings *settings, struct fault *fault)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	const char *file = settings->trust_file, *list = settings->trust_directory;
	if (!openssl_trust_is_given(settings) && !openssl_trust_set_system(store, fault))
		return false;
	return (file == NULL || openssl_trust_add_file(store, file, fault)) &&
		(list == NULL ||
			(openssl_trust_check(list, fault) &&
				openssl_trust_add_directories(store, list, fault))) &&
		openssl_trust_name(ssl, settings, fault) &&
		(settings->revoked == NULL ||
			openssl_trust_set_revoked(ssl, settings->revoked, fault));
}
