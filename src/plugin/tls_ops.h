/*
 * What the plug-in `tls` exports: TLS by a library, without streams. A context is made once from
 * the settings; a session is one connection. The plug-in calls the functions of struct tls_bottom
 * for the bytes on the wire, so that nothing is copied between the library and the stream below.
 */
#ifndef SOCKCAT_PLUGIN_TLS_OPS_H
#define SOCKCAT_PLUGIN_TLS_OPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/io.h"
#include "plugin/plugin.h"
#include "plugin/psk.h"

/* An own certificate: files; without a key it is in `cert`. */
struct tls_identity {
	const char *cert, *key;
};

/* Strings are not owned and must outlive the context; NULL: not given. */
struct tls_settings {
	bool server;
	bool datagrams;       /* DTLS 1.2, whose records are datagrams */
	bool unverified;      /* accept any certificate of the server */
	bool demanding;       /* a server demands a certificate of its clients */
	bool stapled;         /* the server has to send an OCSP response */
	bool self_signed;     /* a server makes its own certificate */
	unsigned least, most; /* the versions of TLS, 1.N; 0: the default */
	const char *ciphers;  /* of TLS 1.2 */
	const char *ciphersuites, *groups;
	const char *trust_file;      /* trusted certificates */
	const char *trust_directory; /* several are separated by ':' */
	const char *revoked;         /* a file of lists of revoked certificates */
	const struct tls_identity
		*identities; /* not owned, as the strings; the first is the default */
	size_t identity_count;
	const char *const *allowed;  /* not owned: the certificates of clients (openssl_allow.h) */
	size_t allowed_count;        /* 0: any */
	const char *passphrase;      /* of the keys; NULL: they have none */
	const struct psk_list *keys; /* pre-shared, instead of certificates; NULL: none */
	const int *keylog;           /* the descriptor for the secrets of sessions; NULL: none */
	const char *alpn;            /* names separated by commas, the preferred one first */
	const char *pins;            /* of the peer: sha256//BASE64, separated by ';' */
	const char *host;            /* of the own certificate, self-signed; NULL: any */
};

/* The most characters of a pin, with the NUL. */
#define TLS_PIN_SIZE 64

/* The most bytes of an address. */
#define TLS_PEER_SIZE ((size_t)128)

/* The least limit of a datagram of DTLS, and the most bytes of a message. */
#define TLS_DATAGRAM_MIN ((size_t)256)
#define TLS_MESSAGE_MAX ((size_t)16384)

/* The stream below. Both return IO_OK, IO_AGAIN, IO_END (`read` only) or IO_FAIL, which the caller
 * of the session's operation reports. For DTLS each `read` is one datagram, whose end is lost if it
 * is longer than `size`, and each `write` is one. */
struct tls_bottom {
	void *stream;
	enum io (*read)(void *stream, void *bytes, size_t size, size_t *got);
	enum io (*write)(void *stream, const void *bytes, size_t size, size_t *put);
};

/* What a handshake has agreed on. The strings live as long as the session; NULL: none. */
struct tls_facts {
	const char *version, *cipher, *group, *alpn;
	const char *psk;         /* the identity of the pre-shared key */
	const char *server_name; /* that a client has asked for */
	/* Of the peer's certificate: */
	const char *pin, *subject;
	const char *common_name; /* the first of the subject */
	const char *expires;     /* as in RFC 3339 */
	uint64_t days;           /* until then */
	bool verified;           /* it was, or its pin */
};

/* A certificate of the peer's chain; names as in RFC 2253, for the caller to free. */
struct tls_certificate {
	char *subject, *issuer;
};

/*
 * The operations of a session return IO_AGAIN if the bottom did. IO_FAIL without a fault: the
 * bottom has failed or ended.
 */
struct tls_ops {
	struct plugin_head head;

	/* `previous`: a context of the same settings whose self-signed certificate is kept; NULL:
	 * none. NULL with a fault: STATUS_CREDENTIALS, STATUS_VALUE or STATUS_MEMORY. */
	void *(*context_new)(
		const struct tls_settings *settings, void *previous, struct fault *fault);

	/* Sessions may remain: they use it to their end. */
	void (*context_free)(void *context);

	/* The pin of the own certificate; NULL: there is none. */
	const char *(*context_pin)(void *context);

	/* `peer` is for messages and copied; `name`, not owned, the name or address that the
	 * server's certificate must have, NULL: any. NULL with a fault: STATUS_MEMORY. */
	void *(*session_new)(void *context, const struct tls_bottom *bottom, const char *peer,
		const char *name, struct fault *fault);
	void (*session_free)(void *session);

	enum io (*handshake)(void *session, struct fault *fault);
	void (*describe)(void *session, struct tls_facts *facts);

	/* The certificate at a depth of the chain: as it was verified, or as the peer has sent it;
	 * 0 is the peer's own. False: there is none, or no memory. */
	bool (*certificate)(void *session, size_t depth, struct tls_certificate *certificate);

	/* The certificates that the peer has sent, its own first, in PEM: the caller frees the
	 * text; NULL: there are none. False and a fault if there is no memory. */
	bool (*peer_certificates)(void *session, char **pem, struct fault *fault);

	/* IO_END: the peer has sent close_notify. */
	enum io (*read)(void *session, void *bytes, size_t size, size_t *got, struct fault *fault);

	/* Processes what arrives up to the next data, which stays. */
	enum io (*peek)(void *session, struct fault *fault);

	/* Whether bytes from the bottom are kept, so that a read may need no more of them. */
	bool (*pending)(void *session);

	/* At most one record. After IO_AGAIN the same bytes have to be written next (DTLS: or
	 * none). */
	enum io (*write)(
		void *session, const void *bytes, size_t size, size_t *put, struct fault *fault);

	/* Sends close_notify. */
	enum io (*shut)(void *session, struct fault *fault);

	/* --- DTLS only --- */

	/* Gives the session, which may have begun its handshake, another bottom, and another name
	 * of the peer: see session_new. */
	void (*set_bottom)(void *session, const struct tls_bottom *bottom, const char *peer);

	/*
	 * A server looks at the one datagram that `read` of the bottom returns, without memory of
	 * those before. `peer`: the address of its sender, at most TLS_PEER_SIZE bytes. True: its
	 * cookie shows that the sender receives at this address; the handshake goes on with a
	 * bottom of its own. False: it was answered by one `write`, with a cookie, or ignored;
	 * the session can listen again.
	 */
	bool (*listen)(void *session, const void *peer, size_t peer_size, int64_t now);

	/* Whether a retransmission is due after *span, 0: now. It is during the handshake only. */
	bool (*timer)(void *session, int64_t *span);

	/* Retransmits if that is due. IO_FAIL: it was done too often, or the bottom has failed. */
	enum io (*retransmit)(void *session, struct fault *fault);

	/* The most bytes of a datagram, headers of the network not included; at least
	 * TLS_DATAGRAM_MIN are used. Without a call it is TLS_DATAGRAM_MIN. */
	void (*set_datagram_max)(void *session, size_t size);

	/* The most bytes of a write, after the handshake. */
	size_t (*message_max)(void *session);
};

#endif
