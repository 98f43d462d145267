/*
 * The plug-in `digest`: message digests by OpenSSL's libcrypto (EVP), which uses the processor's
 * instructions for them. It reads the system's openssl.cnf: OPENSSL_INIT_NO_LOAD_CONFIG would save
 * 0.3 ms, but is for the whole process, and the policy in that file is for TLS too.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "plugin/digest_ops.h"

static void *
digest_openssl_start(const char *algorithm)
{
	/* If there was no memory for it, EVP_MD_fetch would use a context that does not exist. */
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_get0_global_default();
	if (library == NULL)
		return NULL;
	EVP_MD *digest = EVP_MD_fetch(library, algorithm, NULL);
	EVP_MD_CTX *state = EVP_MD_CTX_new();
	if (digest == NULL || state == NULL || !EVP_DigestInit_ex2(state, digest, NULL)) {
		EVP_MD_CTX_free(state);
		state = NULL;
	}
	/* The state has a reference of its own. */
	EVP_MD_free(digest);
	return state;
}

static bool
digest_openssl_add(void *state, const void *bytes, size_t length)
{
	return EVP_DigestUpdate(state, bytes, length) == 1;
}

static bool
digest_openssl_finish(void *state, unsigned char *out, size_t size)
{
	return EVP_MD_CTX_get_size(state) == (int)size && EVP_DigestFinal_ex(state, out, NULL) == 1;
}

static void
digest_openssl_free(void *state)
{
	EVP_MD_CTX_free(state);
}

PLUGIN_EXPORT extern const struct digest_ops sockcat_plugin;

const struct digest_ops sockcat_plugin = {
	.head = PLUGIN_HEAD(struct digest_ops),
	.start = digest_openssl_start,
	.add = digest_openssl_add,
	.finish = digest_openssl_finish,
	.free = digest_openssl_free,
};
