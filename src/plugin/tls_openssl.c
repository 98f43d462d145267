/* The plug-in `tls`: TLS by OpenSSL's libssl. */
#include "plugin/openssl_context.h"
#include "plugin/openssl_datagrams.h"
#include "plugin/openssl_listen.h"
#include "plugin/openssl_session.h"

PLUGIN_EXPORT extern const struct tls_ops sockcat_plugin;

const struct tls_ops sockcat_plugin = {
	.head = PLUGIN_HEAD(struct tls_ops),
	.context_new = openssl_context_new,
	.context_free = openssl_context_free,
	.context_pin = openssl_context_pin,
	.session_new = openssl_session_new,
	.session_free = openssl_session_free,
	.handshake = openssl_session_handshake,
	.describe = openssl_session_describe,
	.certificate = openssl_session_certificate,
	.peer_certificates = openssl_session_peer_certificates,
	.read = openssl_session_read,
	.peek = openssl_session_peek,
	.pending = openssl_session_pending,
	.write = openssl_session_write,
	.shut = openssl_session_shut,
	.set_bottom = openssl_datagrams_set_bottom,
	.listen = openssl_listen_look,
	.timer = openssl_datagrams_timer,
	.retransmit = openssl_datagrams_retransmit,
	.set_datagram_max = openssl_datagrams_set_max,
	.message_max = openssl_datagrams_message_max,
};
