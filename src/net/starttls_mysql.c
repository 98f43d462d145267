/* STARTTLS of MySQL: "Protocol::HandshakeV10" and "Protocol::SSLRequest". */
#include <string.h>

#include "net/starttls.h"

#define STARTTLS_MYSQL_VERSION 10
#define STARTTLS_MYSQL_ERROR 0xff
#define STARTTLS_MYSQL_TLS 0x0800 /* CLIENT_SSL */
/* Between the version of the server and its capabilities: its thread, data, and a zero byte. */
#define STARTTLS_MYSQL_BETWEEN (4 + 8 + 1)

enum starttls_mysql_state { STARTTLS_MYSQL_HEAD, STARTTLS_MYSQL_GREETING };

static bool
starttls_mysql_start(struct handshake *handshake)
{
	(void)handshake_want(handshake, 4);
	return true;
}

static unsigned
starttls_mysql_two(const unsigned char *bytes)
{
	return bytes[0] | (unsigned)bytes[1] << 8;
}

/* "ERR_Packet", of which `in` may have the beginning only: the number, from MySQL 4.1 on '#' and
 * five characters once both sides are known to speak that, and the text. */
static enum handshake_result
starttls_mysql_refuse(struct handshake *handshake)
{
	const unsigned char *in = handshake->in;
	size_t n = handshake->in_length;
	size_t at = n >= 9 && in[3] == '#' ? 9 : 3;
	return starttls_refuse(handshake, "the server refused the connection",
		starttls_mysql_two(in + 1), in + at, n - at);
}

static enum handshake_result
starttls_mysql_greeted(struct handshake *handshake)
{
	/* CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; packets
	 * of 16 MiB; utf8; 23 reserved bytes. */
	static const unsigned char request[36] = { 32, 0, 0, 1, 0x01, 0x8a, 0, 0, 0, 0, 0, 1, 33 };
	const unsigned char *in = handshake->in;
	size_t n = handshake->in_length;
	if (in[0] == STARTTLS_MYSQL_ERROR && n >= 3)
		return starttls_mysql_refuse(handshake);
	const unsigned char *zero =
		in[0] == STARTTLS_MYSQL_VERSION ? memchr(in + 1, '\0', n - 1) : NULL;
	size_t at = zero != NULL ? (size_t)(zero - in) + 1 + STARTTLS_MYSQL_BETWEEN : n;
	if (at + 2 > n)
		return starttls_malformed(handshake, "the answer is not MySQL");
	if ((starttls_mysql_two(in + at) & STARTTLS_MYSQL_TLS) == 0)
		return starttls_refuse(handshake, "the server does not offer TLS", 0, NULL, 0);
	(void)handshake_put(handshake, request, sizeof request);
	return HANDSHAKE_DONE;
}

static enum handshake_result
starttls_mysql_step(struct handshake *handshake)
{
	const unsigned char *in = handshake->in;
	if (handshake->state == STARTTLS_MYSQL_GREETING)
		return starttls_mysql_greeted(handshake);
	size_t length = starttls_mysql_two(in) | (size_t)in[2] << 16;
	if (length == 0 || length > STARTTLS_BYTES_MAX || in[3] != 0)
		return starttls_malformed(handshake, "the answer is not MySQL");
	handshake->state = STARTTLS_MYSQL_GREETING;
	return handshake_want(handshake, length);
}

const struct handshake_protocol starttls_mysql = {
	.start = starttls_mysql_start, .step = starttls_mysql_step, .code = "error"
};
