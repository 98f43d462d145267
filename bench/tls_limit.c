/*
 * The limit of TLS: the library in a bare loop over a blocking socket, with full records, read-ahead
 * and nothing else; it verifies nothing, and does not wait for close_notify of the other side.
 *
 *   tls_limit receive PORT CERT KEY         one connection to standard output
 *   tls_limit send PORT                     standard input to 127.0.0.1
 *   tls_limit serve PORT CERT KEY           connections one after the other; each gets a byte, and is closed
 *   tls_limit shake PORT SECONDS            handshakes, one after the other in two threads; prints their number
 *   tls_limit first PORT                    the first byte to standard output
 *   tls_limit hold PORT NUMBER              keeps this many connections, each after an echo of a byte, until a signal
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_RECORD 16384
#define LIMIT_CHUNK (16 * LIMIT_RECORD)
#define LIMIT_AHEAD 65536

static unsigned char limit_bytes[LIMIT_CHUNK];
static struct sockaddr_in limit_address = { .sin_family = AF_INET };

static SSL_CTX *
limit_context(const SSL_METHOD *method, char **files)
{
	SSL_CTX *context = SSL_CTX_new(method);
	if (context == NULL)
		errx(1, "no context");
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, LIMIT_AHEAD);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (files != NULL && (SSL_CTX_use_certificate_chain_file(context, files[0]) != 1 ||
				     SSL_CTX_use_PrivateKey_file(
					     context, files[1], SSL_FILETYPE_PEM) != 1))
		errx(1, "no certificate");
	return context;
}

static SSL *
limit_start(SSL_CTX *context, int fd, int (*shake)(SSL *))
{
	int on = 1;
	SSL *ssl = SSL_new(context);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (fd == -1 || ssl == NULL || SSL_set_fd(ssl, fd) != 1 || shake(ssl) != 1)
		errx(1, "no handshake");
	return ssl;
}

static SSL *
limit_connect(SSL_CTX *context)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&limit_address, sizeof limit_address) == -1)
		err(1, "connect");
	return limit_start(context, fd, SSL_connect);
}

static void
limit_end(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static int
limit_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&limit_address, sizeof limit_address) == -1 ||
		listen(fd, 128) == -1)
		err(1, "listen");
	return fd;
}

static void
limit_write(const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t put = write(1, bytes, n);
		if (put == -1)
			err(1, "write");
		bytes += put;
		n -= (size_t)put;
	}
}

/* Writes what has come as soon as no more is at hand, or the buffer is full. */
static void
limit_receive(SSL *ssl)
{
	size_t held = 0, got;
	int result;
	while ((result = SSL_read_ex(ssl, limit_bytes + held, LIMIT_CHUNK - held, &got)) == 1) {
		held += got;
		if (LIMIT_CHUNK - held < LIMIT_RECORD || SSL_has_pending(ssl) == 0) {
			limit_write(limit_bytes, held);
			held = 0;
		}
	}
	if (SSL_get_error(ssl, result) != SSL_ERROR_ZERO_RETURN)
		errx(1, "no close_notify");
	limit_write(limit_bytes, held);
	(void)SSL_shutdown(ssl);
}

static void
limit_send(SSL *ssl)
{
	ssize_t n;
	while ((n = read(0, limit_bytes, LIMIT_CHUNK)) > 0)
		for (size_t at = 0, put; at < (size_t)n; at += put)
			if (SSL_write_ex(ssl, limit_bytes + at, (size_t)n - at, &put) != 1)
				errx(1, "no write");
	if (n == -1)
		err(1, "read");
	(void)SSL_shutdown(ssl);
	shutdown(SSL_get_fd(ssl), SHUT_WR);
	/* The end of the other side: a close before it could reset the connection. */
	while (read(SSL_get_fd(ssl), limit_bytes, LIMIT_CHUNK) > 0)
		continue;
}

static SSL_CTX *limit_shared;
static atomic_ulong limit_count;
static time_t limit_until;

static void *
limit_shake(void *unused)
{
	(void)unused;
	while (time(NULL) < limit_until) {
		limit_end(limit_connect(limit_shared));
		limit_count++;
	}
	return NULL;
}

int
main(int argc, char *argv[])
{
	pthread_t other;
	if (argc < 3)
		errx(2, "see the source");
	signal(SIGPIPE, SIG_IGN);
	limit_address.sin_port = htons((uint16_t)atoi(argv[2]));
	limit_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (strcmp(argv[1], "receive") == 0 && argc == 5) {
		SSL_CTX *context = limit_context(TLS_server_method(), argv + 3);
		limit_receive(
			limit_start(context, accept(limit_listen(), NULL, NULL), SSL_accept));
		return 0;
	}
	if (strcmp(argv[1], "serve") == 0 && argc == 5) {
		SSL_CTX *context = limit_context(TLS_server_method(), argv + 3);
		for (int fd = limit_listen();;) {
			SSL *ssl = limit_start(context, accept(fd, NULL, NULL), SSL_accept);
			(void)SSL_write(ssl, "x", 1);
			limit_end(ssl);
		}
	}
	limit_shared = limit_context(TLS_client_method(), NULL);
	if (strcmp(argv[1], "send") == 0) {
		limit_send(limit_connect(limit_shared));
	} else if (strcmp(argv[1], "shake") == 0 && argc == 4) {
		limit_until = time(NULL) + atoi(argv[3]);
		pthread_create(&other, NULL, limit_shake, NULL);
		(void)limit_shake(NULL);
		pthread_join(other, NULL);
		printf("%lu\n", limit_count);
	} else if (strcmp(argv[1], "first") == 0) {
		if (SSL_read(limit_connect(limit_shared), limit_bytes, 1) != 1)
			errx(1, "no byte");
		limit_write(limit_bytes, 1);
	} else if (strcmp(argv[1], "hold") == 0 && argc == 4) {
		for (int i = atoi(argv[3]); i > 0; i--) {
			SSL *ssl = limit_connect(limit_shared);
			if (SSL_write(ssl, "x", 1) != 1 || SSL_read(ssl, limit_bytes, 1) != 1)
				errx(1, "no echo");
		}
		printf("ready\n");
		fflush(stdout);
		pause();
	}
	return 0;
}
