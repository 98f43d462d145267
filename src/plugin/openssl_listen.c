/* Cookies of DTLS; see openssl_listen.h. */
#include "plugin/openssl_listen.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"

/* The shortest part of a ClientHello that has a cookie is 61 bytes long, a HelloVerifyRequest
 * without its cookie 28. */
#define OPENSSL_LISTEN_COOKIE 16

/* How long the same cookie is sent. It is accepted for the time after that, too. */
#define OPENSSL_LISTEN_TIME (60 * CLOCK_SECOND)

/* Of this run: a cookie outlives a reload. */
static unsigned char openssl_listen_secret[32];
static bool openssl_listen_has_secret;

/* Makes the cookie of a span of time. False: no memory. */
static bool
openssl_listen_make(const struct openssl_listen *listen, int64_t span, unsigned char *cookie)
{
	unsigned char input[sizeof span + TLS_PEER_SIZE], code[EVP_MAX_MD_SIZE];
	if (listen == NULL || listen->peer_size > TLS_PEER_SIZE)
		return false;
	memcpy(input, &span, sizeof span);
	memcpy(input + sizeof span, listen->peer, listen->peer_size);
	if (HMAC(EVP_sha256(), openssl_listen_secret, sizeof openssl_listen_secret, input,
		    sizeof span + listen->peer_size, code, NULL) == NULL)
		return false;
	memcpy(cookie, code, OPENSSL_LISTEN_COOKIE);
	return true;
}

/* Called by the library. */
static int
openssl_listen_generate(SSL *ssl, unsigned char *cookie, unsigned *size)
{
	const struct openssl_session *session = SSL_get_app_data(ssl);
	const struct openssl_listen *listen = session->listen;
	*size = OPENSSL_LISTEN_COOKIE;
	return listen != NULL &&
		openssl_listen_make(listen, listen->now / OPENSSL_LISTEN_TIME, cookie);
}

/* Called by the library, which also verifies again in the handshake. */
static int
openssl_listen_verify(SSL *ssl, const unsigned char *cookie, unsigned size)
{
	const struct openssl_session *session = SSL_get_app_data(ssl);
	const struct openssl_listen *listen = session->listen;
	unsigned char made[OPENSSL_LISTEN_COOKIE];
	if (listen == NULL || size != OPENSSL_LISTEN_COOKIE)
		return listen == NULL && session->proved;
	for (int64_t ago = 0; ago < 2; ago++)
		if (openssl_listen_make(listen, listen->now / OPENSSL_LISTEN_TIME - ago, made) &&
			CRYPTO_memcmp(cookie, made, sizeof made) == 0)
			return 1;
	return 0;
}

bool
openssl_listen_set_up(struct openssl_context *context, struct fault *fault)
{
	if (!openssl_listen_has_secret &&
		RAND_priv_bytes(openssl_listen_secret, sizeof openssl_listen_secret) != 1)
		return fault_set(fault, STATUS_MEMORY, 0, "TLS: %s", openssl_context_reason());
	openssl_listen_has_secret = true;
	SSL_CTX_set_cookie_generate_cb(context->ssl, openssl_listen_generate);
	SSL_CTX_set_cookie_verify_cb(context->ssl, openssl_listen_verify);
	return true;
}

bool
openssl_listen_look(void *state, const void *peer, size_t peer_size, int64_t now)
{
	struct openssl_session *session = state;
	const struct openssl_listen listen = { peer, peer_size, now };
	BIO_ADDR *unused = BIO_ADDR_new();
	session->listen = &listen;
	session->proved = unused != NULL && DTLSv1_listen(session->ssl, unused) == 1;
	session->listen = NULL;
	BIO_ADDR_free(unused);
	ERR_clear_error();
	return session->proved;
}
