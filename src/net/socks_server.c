/* The server's side of SOCKS: versions 4, 4A and 5; see proxy_request.h. */
#include "net/proxy_request.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/handshake.h"
#include "net/socks_udp.h"

#define SOCKS_SERVER_CONNECT 1
#define SOCKS_SERVER_ASSOCIATE 3

/* Methods of authentication. */
#define SOCKS_SERVER_NONE 0
#define SOCKS_SERVER_LOGIN 2
#define SOCKS_SERVER_REFUSED 0xff

/* Types of addresses. */
#define SOCKS_SERVER_IPV4 1
#define SOCKS_SERVER_NAME 3
#define SOCKS_SERVER_IPV6 4

/* Codes of version 5. */
#define SOCKS_SERVER_FAILED 1
#define SOCKS_SERVER_NO_COMMAND 7
#define SOCKS_SERVER_NO_TYPE 8

/* RFC 1928, section 6; a timeout is "TTL expired". */
static const unsigned char socks_server_codes[PROXY_REQUEST_OUTCOMES] = {
	[PROXY_REQUEST_CONNECTED] = 0,
	[PROXY_REQUEST_DENIED] = 2,
	[PROXY_REQUEST_UNKNOWN] = 4,
	[PROXY_REQUEST_NO_LISTENER] = 5,
	[PROXY_REQUEST_NO_NETWORK] = 3,
	[PROXY_REQUEST_NO_HOST] = 4,
	[PROXY_REQUEST_TIMED_OUT] = 6,
	[PROXY_REQUEST_FAILED] = SOCKS_SERVER_FAILED,
};

enum socks_server_state {
	SOCKS_SERVER_HEAD, /* version 4: the fixed part; version 5: the methods */
	SOCKS_SERVER_USER,
	SOCKS_SERVER_HOST,
	SOCKS_SERVER_PASSWORD,
	SOCKS_SERVER_REQUEST
};

static unsigned
socks_server_port(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Waits until the part has n bytes. True: it has; or *result is set. */
static bool
socks_server_has(struct proxy_request *request, size_t n, enum proxy_request_result *result)
{
	if (request->in_length >= n)
		return true;
	*result = proxy_request_want(request, n - request->in_length);
	return false;
}

/* Begins a new part of n bytes. */
static enum proxy_request_result
socks_server_next(struct proxy_request *request, int state, size_t n)
{
	request->state = state;
	request->in_length = 0;
	return proxy_request_want(request, n);
}

/* Sets a target whose address is binary. */
static const char *
socks_server_set_address(
	struct proxy_request *request, int family, const unsigned char *bytes, uint32_t port)
{
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(family, bytes, text, sizeof text) == NULL)
		return "the address of the target is not valid";
	return proxy_request_set_target(request, text, strlen(text), port);
}

/* --- version 4 --- */

static void
socks_server_v4_answer(struct proxy_request *request, enum proxy_request_outcome outcome)
{
	const unsigned char bytes[8] = { 0, outcome == PROXY_REQUEST_CONNECTED ? 90 : 91 };
	proxy_request_put(request, bytes, sizeof bytes);
}

static enum proxy_request_result
socks_server_v4_refuse(struct proxy_request *request, const char *words)
{
	socks_server_v4_answer(request, PROXY_REQUEST_FAILED);
	return proxy_request_refuse(request, words);
}

/* The fixed part, which stays at the beginning of `in`: version, command, port, address. */
#define SOCKS_SERVER_V4_HEAD 8

/* Whether the name of the target follows (4A): the address is 0.0.0.x. */
static bool
socks_server_v4_is_named(const struct proxy_request *request)
{
	static const unsigned char zero[3];
	return memcmp(request->in + 4, zero, sizeof zero) == 0 && request->in[7] != 0;
}

/* The request is complete, with a name of n bytes. */
static enum proxy_request_result
socks_server_v4_end(struct proxy_request *request, const unsigned char *name, size_t n)
{
	unsigned port = socks_server_port(request->in + 2);
	const char *wrong = socks_server_v4_is_named(request)
		? proxy_request_set_target(request, name, n, port)
		: socks_server_set_address(request, AF_INET, request->in + 4, port);
	if (proxy_request_needs_login(request))
		wrong = "SOCKS4 has no passwords";
	return wrong != NULL ? socks_server_v4_refuse(request, wrong) : PROXY_REQUEST_TARGET;
}

/* Looks for the NUL that ends the text, which begins at `start` of `in`. */
static enum proxy_request_result
socks_server_v4_text(struct proxy_request *request)
{
	size_t start = SOCKS_SERVER_V4_HEAD;
	const unsigned char *text = request->in + start;
	bool named = socks_server_v4_is_named(request);
	size_t n = request->in_length - start;
	if (n == 0 || text[n - 1] != '\0') {
		if (n > HANDSHAKE_SECRET_MAX)
			return socks_server_v4_refuse(
				request, "the user or the name is longer than 255 bytes");
		/* A name of one byte and two NULs follow at least. */
		return proxy_request_want(
			request, request->state == SOCKS_SERVER_USER && named ? 3 : 1);
	}
	return socks_server_v4_end(request, text, n - 1);
}

/* Takes a byte of the user or the name. */
static enum proxy_request_result
socks_server_v4_byte(struct proxy_request *request, unsigned char byte)
{
	(void)proxy_request_keep(request, &byte, 1);
	if (byte == '\0' && request->state == SOCKS_SERVER_USER &&
		socks_server_v4_is_named(request)) {
		request->state = SOCKS_SERVER_HOST;
		request->in_length = SOCKS_SERVER_V4_HEAD;
		return proxy_request_want(request, 2);
	}
	return socks_server_v4_text(request);
}

static enum proxy_request_result
socks_server_v4_take(struct proxy_request *request, const unsigned char *bytes, size_t n)
{
	enum proxy_request_result result = PROXY_REQUEST_MORE;
	if (request->state == SOCKS_SERVER_HEAD) {
		(void)proxy_request_keep(request, bytes, n);
		if (!socks_server_has(request, SOCKS_SERVER_V4_HEAD, &result))
			return result;
		if (request->in[1] != SOCKS_SERVER_CONNECT)
			return socks_server_v4_refuse(request, "only CONNECT is supported");
		request->state = SOCKS_SERVER_USER;
		return socks_server_v4_text(request);
	}
	for (size_t i = 0; i < n && result == PROXY_REQUEST_MORE; i++)
		result = socks_server_v4_byte(request, bytes[i]);
	return result;
}

const struct proxy_request_protocol socks_server_v4_protocol = { .name = "socks4",
	.bit = PROXY_REQUEST_SOCKS4,
	.take = socks_server_v4_take,
	.answer = socks_server_v4_answer };

/* --- version 5 --- */

/* Puts a code and the bound address, or an unspecified one. */
static void
socks_server_v5_put(struct proxy_request *request, unsigned char code)
{
	unsigned char bytes[SOCKS_UDP_ADDRESS_MAX] = { 0, 0, 0, SOCKS_SERVER_IPV4 };
	size_t length = 10;
	if (request->bound.length > 0)
		length = socks_udp_write(bytes, &request->bound);
	bytes[0] = 5;
	bytes[1] = code;
	proxy_request_put(request, bytes, length);
}

static void
socks_server_v5_answer(struct proxy_request *request, enum proxy_request_outcome outcome)
{
	socks_server_v5_put(request, socks_server_codes[outcome]);
}

static enum proxy_request_result
socks_server_v5_refuse(struct proxy_request *request, unsigned char code, const char *words)
{
	socks_server_v5_put(request, code);
	return proxy_request_refuse(request, words);
}

/* The methods that the client offers. */
static enum proxy_request_result
socks_server_v5_methods(struct proxy_request *request)
{
	enum proxy_request_result result;
	const unsigned char *in = request->in;
	bool login = proxy_request_needs_login(request);
	unsigned char answer[2] = { 5, login ? SOCKS_SERVER_LOGIN : SOCKS_SERVER_NONE };
	if (!socks_server_has(request, 2, &result) ||
		!socks_server_has(request, (size_t)2 + in[1], &result))
		return result;
	bool offered = memchr(in + 2, answer[1], in[1]) != NULL;
	if (!offered)
		answer[1] = SOCKS_SERVER_REFUSED;
	proxy_request_put(request, answer, sizeof answer);
	if (!offered)
		return proxy_request_refuse(request,
			login ? "a user and password are required" : "no login is asked for");
	return login ? socks_server_next(request, SOCKS_SERVER_PASSWORD, 2)
		     : socks_server_next(request, SOCKS_SERVER_REQUEST, 4);
}

/* The user and password (RFC 1929). */
static enum proxy_request_result
socks_server_v5_login(struct proxy_request *request)
{
	enum proxy_request_result result;
	const unsigned char *in = request->in;
	unsigned char answer[2] = { 1, 1 };
	if (in[0] == 1) {
		if (!socks_server_has(request, (size_t)3 + in[1], &result))
			return result;
		const unsigned char *password = in + 2 + in[1];
		if (!socks_server_has(request, (size_t)3 + in[1] + password[0], &result))
			return result;
		if (proxy_users_match(
			    request->rules.users, in + 2, in[1], password + 1, password[0])) {
			answer[1] = 0;
			proxy_request_put(request, answer, sizeof answer);
			return socks_server_next(request, SOCKS_SERVER_REQUEST, 4);
		}
		request->wrong_login = true;
	}
	proxy_request_put(request, answer, sizeof answer);
	return proxy_request_refuse(request,
		request->wrong_login ? "wrong user or password" : "the login is malformed");
}

/* The address of the target follows its type. */
static enum proxy_request_result
socks_server_v5_target(struct proxy_request *request)
{
	enum proxy_request_result result;
	const unsigned char *in = request->in, *address = in + 4;
	const char *wrong = NULL;
	size_t length = in[3] == SOCKS_SERVER_IPV4 ? 4 : 16;
	if (in[3] == SOCKS_SERVER_NAME) {
		if (!socks_server_has(request, 5, &result))
			return result;
		length = (size_t)1 + in[4];
	}
	if (!socks_server_has(request, 4 + length + 2, &result))
		return result;
	unsigned port = socks_server_port(address + length);
	if (in[1] == SOCKS_SERVER_ASSOCIATE) {
		/* Its address is not needed: NAT may have changed it. */
		request->associates = true;
		request->client_port = (uint16_t)port;
		return PROXY_REQUEST_ASSOCIATE;
	}
	if (in[3] == SOCKS_SERVER_NAME)
		wrong = proxy_request_set_target(request, address + 1, length - 1, port);
	else
		wrong = socks_server_set_address(
			request, in[3] == SOCKS_SERVER_IPV4 ? AF_INET : AF_INET6, address, port);
	return wrong != NULL ? socks_server_v5_refuse(request, SOCKS_SERVER_FAILED, wrong)
			     : PROXY_REQUEST_TARGET;
}

static enum proxy_request_result
socks_server_v5_request(struct proxy_request *request)
{
	enum proxy_request_result result;
	const unsigned char *in = request->in;
	if (!socks_server_has(request, 4, &result))
		return result;
	if (in[0] != 5 || in[2] != 0)
		return socks_server_v5_refuse(
			request, SOCKS_SERVER_FAILED, "the request is malformed");
	if (in[1] != SOCKS_SERVER_CONNECT &&
		(in[1] != SOCKS_SERVER_ASSOCIATE || !request->rules.datagrams))
		return socks_server_v5_refuse(request, SOCKS_SERVER_NO_COMMAND,
			in[1] == SOCKS_SERVER_ASSOCIATE
				? "UDP ASSOCIATE is not served (--proxy-server=socks5,udp)"
				: request->rules.datagrams
				? "only CONNECT and UDP ASSOCIATE are supported"
				: "only CONNECT is supported");
	if (in[3] != SOCKS_SERVER_IPV4 && in[3] != SOCKS_SERVER_NAME && in[3] != SOCKS_SERVER_IPV6)
		return socks_server_v5_refuse(
			request, SOCKS_SERVER_NO_TYPE, "unknown type of address");
	return socks_server_v5_target(request);
}

static enum proxy_request_result
socks_server_v5_take(struct proxy_request *request, const unsigned char *bytes, size_t n)
{
	(void)proxy_request_keep(request, bytes, n);
	if (request->wants > 0)
		return PROXY_REQUEST_MORE;
	return request->state == SOCKS_SERVER_HEAD        ? socks_server_v5_methods(request)
		: request->state == SOCKS_SERVER_PASSWORD ? socks_server_v5_login(request)
							  : socks_server_v5_request(request);
}

const struct proxy_request_protocol socks_server_v5_protocol = { .name = "socks5",
	.bit = PROXY_REQUEST_SOCKS5,
	.take = socks_server_v5_take,
	.answer = socks_server_v5_answer };
