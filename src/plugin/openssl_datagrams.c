/* DTLS; see openssl_datagrams.h. */
#include "plugin/openssl_datagrams.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"

/* The limit is that of the owner of the bottom: the BIO does not know the network. */
void
openssl_datagrams_set_up(SSL_CTX *ssl)
{
	(void)SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU);
}

void
openssl_datagrams_set_bottom(void *state, const struct tls_bottom *bottom, const char *peer)
{
	struct openssl_session *session = state;
	char *name = strdup(peer);
	session->bottom = *bottom;
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
