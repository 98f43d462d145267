#include "plugin/openssl_psk.h"

#include <string.h>

/* TLS_AES_128_GCM_SHA256: its hash is that of the key, the cipher is agreed upon. */
static const unsigned char openssl_psk_suite[] = { 0x13, 0x01 };

/* NULL: no memory. */
static SSL_SESSION *
openssl_psk_make(SSL *ssl, const struct psk *psk)
{
	SSL_SESSION *made = SSL_SESSION_new();
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, openssl_psk_suite);
	if (made != NULL && cipher != NULL &&
		SSL_SESSION_set1_master_key(made, psk->key, psk->size) == 1 &&
		SSL_SESSION_set_cipher(made, cipher) == 1 &&
		SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION) == 1)
		return made;
	SSL_SESSION_free(made);
	return NULL;
}

/* Called by a client. `digest`: that of the suite after a HelloRetryRequest, or NULL. */
static int
openssl_psk_offer(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *size,
	SSL_SESSION **offered)
{
	struct openssl_session *session = SSL_get_app_data(ssl);
	const struct psk *psk = &session->context->settings.keys->keys[0];
	*offered = NULL;
	if (digest != NULL && EVP_MD_get_type(digest) != NID_sha256)
		return 1;
	session->identity = psk->identity;
	*identity = (const unsigned char *)psk->identity;
	*size = strlen(psk->identity);
	*offered = openssl_psk_make(ssl, psk);
	return *offered != NULL;
}

/* Called by a server. Without a key the handshake goes on, and fails without a certificate. */
static int
openssl_psk_look_up(SSL *ssl, const unsigned char *identity, size_t size, SSL_SESSION **found)
{
	struct openssl_session *session = SSL_get_app_data(ssl);
	const struct psk *psk = psk_find(session->context->settings.keys, identity, size);
	*found = NULL;
	if (psk == NULL)
		return 1;
	session->identity = psk->identity;
	*found = openssl_psk_make(ssl, psk);
	return *found != NULL;
}

/* Copies a key of DTLS; returns its size. */
static unsigned
openssl_psk_copy(const struct psk *psk, unsigned char *key, unsigned size)
{
	if (psk->size > size)
		return 0;
	memcpy(key, psk->key, psk->size);
	return (unsigned)psk->size;
}

/* The same as openssl_psk_offer for DTLS; 0: no key. */
static unsigned
openssl_psk_give(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
	unsigned char *key, unsigned size)
{
	struct openssl_session *session = SSL_get_app_data(ssl);
	const struct psk *psk = &session->context->settings.keys->keys[0];
	size_t length = strlen(psk->identity) + 1;
	(void)hint;
	if (length > identity_size)
		return 0;
	session->identity = psk->identity;
	memcpy(identity, psk->identity, length);
	return openssl_psk_copy(psk, key, size);
}

/* The same as openssl_psk_look_up for DTLS; 0: no key. */
static unsigned
openssl_psk_find(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
	struct openssl_session *session = SSL_get_app_data(ssl);
	const struct psk *psk =
		psk_find(session->context->settings.keys, identity, strlen(identity));
	if (psk == NULL)
		return 0;
	session->identity = psk->identity;
	return openssl_psk_copy(psk, key, size);
}

static void
openssl_psk_set_up_datagrams(struct openssl_context *context)
{
	if (!context->settings.server) {
		SSL_CTX_set_psk_client_callback(context->ssl, openssl_psk_give);
		return;
	}
	(void)SSL_CTX_set_dh_auto(context->ssl, 1);
	SSL_CTX_set_psk_server_callback(context->ssl, openssl_psk_find);
}

void
openssl_psk_set_up(struct openssl_context *context)
{
	if (context->settings.datagrams)
		openssl_psk_set_up_datagrams(context);
	else if (context->settings.server)
		SSL_CTX_set_psk_find_session_callback(context->ssl, openssl_psk_look_up);
	else
		SSL_CTX_set_psk_use_session_callback(context->ssl, openssl_psk_offer);
}

void
openssl_psk_refuse(struct openssl_session *session)
{
	(void)fault_set(&session->refusal, STATUS_TLS, 0,
		"TLS handshake with %s: the server does not know the key '%s'", session->peer,
		session->identity);
}

void
openssl_psk_explain(const struct openssl_session *session, struct fault *fault)
{
	const char *reason = openssl_context_reason();
	if (session->identity == NULL)
		(void)fault_set(fault, STATUS_TLS, 0,
			"TLS handshake with %s: the client offers no key that is known (%s)",
			session->peer, reason);
	else
		(void)fault_set(fault, STATUS_TLS, 0, "TLS handshake with %s: key '%s': %s",
			session->peer, session->identity, reason);
}
