#include "filter/tls_handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"

/* The first byte of a record, its type: change_cipher_spec to application_data (RFC 8446, 5.1). */
#define TLS_HANDSHAKE_FIRST 20
#define TLS_HANDSHAKE_LAST 23

void
tls_handshake_note(struct tls_handshake_input *input, const void *bytes, size_t n)
{
	size_t room = sizeof input->bytes - 1 - input->count;
	if (n > room)
		n = room;
	memcpy(input->bytes + input->count, bytes, n);
	input->count += n;
}

/* The peer has not answered with TLS: names what it has sent. */
static bool
tls_handshake_explain_plain(
	const struct stream *stream, const struct tls_handshake_input *input, struct fault *fault)
{
	unsigned char first = (unsigned char)input->bytes[0];
	if (input->count == 0 || (first >= TLS_HANDSHAKE_FIRST && first <= TLS_HANDSHAKE_LAST))
		return false;
	size_t n = 0;
	while (n < input->count && input->bytes[n] != '\r' && input->bytes[n] != '\n')
		n++;
	fault_clear(fault);
	(void)fault_set(fault, STATUS_TLS, 0,
		"TLS handshake with %s: the peer does not speak TLS; it sent ", stream->name);
	fault_add_quoted(fault, input->bytes, n);
	return true;
}

void
tls_handshake_explain(const struct stream *stream, const struct tls_handshake_input *input,
	struct fault *lower, struct fault *fault)
{
	int broken = stream_stats(stream)->broken;
	if (tls_handshake_explain_plain(stream, input, fault) || fault_is_set(fault))
		return;
	if (broken != 0)
		(void)fault_set(fault, STATUS_TLS, broken == EPIPE ? ECONNRESET : broken,
			"TLS handshake with %s", stream->name);
	else if (fault_is_set(lower))
		fault_move(fault, lower);
	else
		(void)fault_set(fault, STATUS_TLS, 0,
			"TLS handshake with %s: the peer closed the connection", stream->name);
}

/* Emits the chain of certificates. */
static void
tls_handshake_report_chain(const struct tls *tls, void *session, const char *peer)
{
	struct tls_certificate certificate = { NULL, NULL };
	for (size_t depth = 0; event_wants(EVENT_tls_certificate) &&
		tls->ops->certificate(session, depth, &certificate);
		depth++) {
		event_emit(&(struct event){ .kind = EVENT_tls_certificate,
			.peer = peer,
			.tls_depth = depth,
			.tls_subject = certificate.subject,
			.tls_issuer = certificate.issuer });
		free(certificate.subject);
		free(certificate.issuer);
		certificate = (struct tls_certificate){ NULL, NULL };
	}
	free(certificate.subject);
	free(certificate.issuer);
}

void
tls_handshake_report(struct tls *tls, void *session, const char *peer)
{
	struct tls_facts facts;
	tls->ops->describe(session, &facts);
	event_emit(&(struct event){
		.kind = EVENT_tls_established,
		.peer = peer,
		.tls_version = facts.version,
		.tls_cipher = facts.cipher,
		.tls_group = facts.group,
		.tls_alpn = facts.alpn,
		.tls_pin = facts.pin,
		.tls_subject = facts.subject,
		.tls_expires = facts.expires,
		.tls_days = facts.days,
		.tls_psk = facts.psk,
	});
	tls_handshake_report_chain(tls, session, peer);
	if (tls->settings.unverified)
		event_emit(&(struct event){
			.kind = tls->warned ? EVENT_tls_unverified_again : EVENT_tls_unverified,
			.peer = peer });
	tls->warned = tls->settings.unverified;
}

bool
tls_handshake_save(const struct tls_filter_config *config, void *session, struct fault *fault)
{
	if (config->files == NULL || config->files->peer.fd == -1)
		return true;
	char *pem = NULL;
	bool good = config->tls->ops->peer_certificates(session, &pem, fault) &&
		(pem == NULL || tls_files_write_peer(config->files, pem, fault));
	free(pem);
	return good;
}
