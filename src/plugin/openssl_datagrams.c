/* DTLS; see openssl_datagrams.h. */
#include "plugin/openssl_datagrams.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"

/* The parts of a record of an AEAD cipher besides the data; CHACHA20 has no nonce. */
#define OPENSSL_DATAGRAMS_NONCE ((size_t)8)
#define OPENSSL_DATAGRAMS_TAG ((size_t)16)

/* The limit is that of the owner of the bottom: the BIO does not know the network. */
void
openssl_datagrams_set_up(SSL_CTX *ssl)
{
	(void)SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU);
}

/* The least length of a record that is encrypted: shorter ones, which any host can send, would not
 * be ignored by the library, but end the session (OpenSSL 3.0). 0: not known yet. */
static size_t
openssl_datagrams_least(const struct openssl_session *session)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(session->ssl);
	if (!session->established || cipher == NULL)
		return 0;
	if (SSL_CIPHER_is_aead(cipher) != 1 ||
		SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305)
		return OPENSSL_DATAGRAMS_TAG;
	return OPENSSL_DATAGRAMS_NONCE +
		(strstr(SSL_CIPHER_get_name(cipher), "CCM8") != NULL ? OPENSSL_DATAGRAMS_TAG / 2
								     : OPENSSL_DATAGRAMS_TAG);
}

/* Whether a record of the datagram is shorter than that. */
static bool
openssl_datagrams_is_short(
	const struct openssl_session *session, const unsigned char *bytes, size_t n)
{
	size_t least = openssl_datagrams_least(session);
	for (size_t at = 0; at < n && n - at >= DTLS1_RT_HEADER_LENGTH;) {
		const unsigned char *header = bytes + at;
		size_t length = (size_t)header[11] << 8 | header[12];
		bool encrypted = header[3] != 0 || header[4] != 0;
		if (encrypted && length < least)
			return true;
		at += DTLS1_RT_HEADER_LENGTH + length;
	}
	return false;
}

static enum io
openssl_datagrams_read(void *state, void *bytes, size_t size, size_t *got)
{
	const struct openssl_session *session = state;
	const struct tls_bottom *lower = &session->lower;
	enum io result;
	do
		result = lower->read(lower->stream, bytes, size, got);
	while (result == IO_OK && openssl_datagrams_is_short(session, bytes, *got));
	return result;
}

static enum io
openssl_datagrams_write(void *state, const void *bytes, size_t size, size_t *put)
{
	const struct openssl_session *session = state;
	return session->lower.write(session->lower.stream, bytes, size, put);
}

void
openssl_datagrams_set_below(struct openssl_session *session, const struct tls_bottom *bottom)
{
	session->lower = *bottom;
	session->bottom =
		(struct tls_bottom){ session, openssl_datagrams_read, openssl_datagrams_write };
}

void
openssl_datagrams_set_bottom(void *state, const struct tls_bottom *bottom, const char *peer)
{
	struct openssl_session *session = state;
	char *name = strdup(peer);
	session->lower = *bottom;
	/* Without memory messages have the name from before. */
	if (name == NULL)
		return;
	free(session->peer);
	session->peer = name;
}

bool
openssl_datagrams_timer(void *state, int64_t *span)
{
	const struct openssl_session *session = state;
	struct timeval left = { 0, 0 };
	if (DTLSv1_get_timeout(session->ssl, &left) != 1)
		return false;
	*span = (int64_t)left.tv_sec * CLOCK_SECOND + left.tv_usec * (CLOCK_SECOND / 1000000);
	return true;
}

enum io
openssl_datagrams_retransmit(void *state, struct fault *fault)
{
	struct openssl_session *session = state;
	ERR_clear_error();
	int n = (int)DTLSv1_handle_timeout(session->ssl);
	if (n < 0 && ERR_GET_REASON(ERR_peek_error()) == SSL_R_READ_TIMEOUT_EXPIRED)
		return IO_FAULT(fault, STATUS_TIMEOUT, 0, "TLS handshake with %s: timed out",
			session->peer);
	return n >= 0 ? IO_OK : openssl_session_result(session, n, fault);
}

void
openssl_datagrams_set_max(void *state, size_t size)
{
	const struct openssl_session *session = state;
	if (size < TLS_DATAGRAM_MIN)
		size = TLS_DATAGRAM_MIN;
	(void)SSL_set_mtu(session->ssl, (long)size);
}

size_t
openssl_datagrams_message_max(void *state)
{
	const struct openssl_session *session = state;
	size_t most = DTLS_get_data_mtu(session->ssl);
	return most < TLS_MESSAGE_MAX ? most : TLS_MESSAGE_MAX;
}
