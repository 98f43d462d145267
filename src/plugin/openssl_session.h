/* A session of the plug-in `tls`: one connection. */
#ifndef SOCKCAT_PLUGIN_OPENSSL_SESSION_H
#define SOCKCAT_PLUGIN_OPENSSL_SESSION_H

#include <openssl/ssl.h>

#include "plugin/openssl_context.h"

struct openssl_listen;

struct openssl_session {
	SSL *ssl;
	struct openssl_context *context;
	struct tls_bottom bottom; /* of the BIO */
	struct tls_bottom lower;  /* of DTLS: that of the owner */
	char *peer;               /* owned; for messages */
	const char *name;         /* NULL: any */
	struct fault refusal;     /* why the peer's certificate was refused */
	size_t problems;          /* that the refusal names */
	int problem;              /* the first of them, an X509_V_ERR_* */
	bool established;         /* the handshake is over */
	bool proved;              /* the peer has sent a cookie back */
	const char *identity;     /* of the pre-shared key; NULL: none */
	char alpn[256];           /* empty: none */
	char pin[TLS_PIN_SIZE];   /* of the peer */
	char *subject;            /* of the peer, owned; NULL: none */
	char *common_name;        /* the same */
	char expires[sizeof "9999-12-31T23:59:59Z"];
	const struct openssl_listen *listen; /* of the datagram that it looks at; NULL: none */
};

/* The result of a call of the library that returned n. */
enum io openssl_session_result(struct openssl_session *session, int n, struct fault *fault);

/* See struct tls_ops. */
void *openssl_session_new(void *context, const struct tls_bottom *bottom, const char *peer,
	const char *name, struct fault *fault);
void openssl_session_free(void *state);
enum io openssl_session_handshake(void *state, struct fault *fault);
void openssl_session_describe(void *state, struct tls_facts *facts);
bool openssl_session_certificate(void *state, size_t depth, struct tls_certificate *certificate);
bool openssl_session_peer_certificates(void *state, char **pem, struct fault *fault);
enum io openssl_session_read(
	void *state, void *bytes, size_t size, size_t *got, struct fault *fault);
enum io openssl_session_peek(void *state, struct fault *fault);
bool openssl_session_pending(void *state);
enum io openssl_session_write(
	void *state, const void *bytes, size_t size, size_t *put, struct fault *fault);
enum io openssl_session_shut(void *state, struct fault *fault);

#endif
