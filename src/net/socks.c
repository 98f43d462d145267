/* SOCKS; see socks.h. */
#include "net/socks.h"

#include <errno.h>
#include <string.h>

#include "net/socks_udp.h"

#define SOCKS_CONNECT 1
#define SOCKS_ASSOCIATE 3
#define SOCKS_NAME_MAX 255

enum socks_state { SOCKS_METHOD, SOCKS_LOGIN, SOCKS_REPLY, SOCKS_BOUND, SOCKS_BOUND_REST };

/* Methods of authentication. */
#define SOCKS_METHOD_NONE 0
#define SOCKS_METHOD_LOGIN 2
#define SOCKS_METHOD_REFUSED 0xff

/* Types of addresses. */
#define SOCKS_IPV4 1
#define SOCKS_NAME 3
#define SOCKS_IPV6 4

struct socks_row {
	unsigned code;
	enum handshake_result result;
	const char *words;
	int error; /* see struct handshake */
	bool transient;
};

/* A code for all failures may stand for one that passes. */
static const struct socks_row socks_v4_rows[] = {
	{ 91, HANDSHAKE_REFUSED, "rejected or failed", 0, true },
	{ 92, HANDSHAKE_REFUSED, "rejected: no identd on the client", 0, false },
	{ 93, HANDSHAKE_REFUSED, "rejected: identd reports another user", 0, false },
	{ 0, HANDSHAKE_MALFORMED, "unknown code in the reply", 0, false },
};

/* RFC 1928, section 6. */
static const struct socks_row socks_v5_rows[] = {
	{ 1, HANDSHAKE_REFUSED, "general failure", 0, true },
	{ 2, HANDSHAKE_REFUSED, "not allowed by its rules", 0, false },
	{ 3, HANDSHAKE_TARGET, "network unreachable", ENETUNREACH, true },
	{ 4, HANDSHAKE_TARGET, "host unreachable", EHOSTUNREACH, true },
	{ 5, HANDSHAKE_TARGET, "connection refused", ECONNREFUSED, true },
	{ 6, HANDSHAKE_TARGET, "TTL expired", ETIMEDOUT, true },
	{ 7, HANDSHAKE_REFUSED, "command not supported", 0, false },
	{ 8, HANDSHAKE_REFUSED, "address type not supported", 0, false },
	{ 0, HANDSHAKE_MALFORMED, "unknown code in the reply", 0, false },
};

static enum handshake_result
socks_refuse(struct handshake *handshake, const struct socks_row *rows, unsigned code)
{
	while (rows->code != code && rows->code != 0)
		rows++;
	handshake->error = rows->error;
	handshake->transient = rows->transient;
	return handshake_fail(handshake, rows->result, rows->words, code);
}

static bool
socks_cannot(struct handshake *handshake, const char *words)
{
	(void)handshake_fail(handshake, HANDSHAKE_REFUSED, words, 0);
	return false;
}

/* The answer is of another protocol; the first byte may tell which. */
static enum handshake_result
socks_mistake(struct handshake *handshake)
{
	return handshake_fail(handshake, HANDSHAKE_MALFORMED,
		handshake->in[0] == 'H' ? "it is an HTTP proxy" : "the answer is not SOCKS", 0);
}

static bool
socks_put_byte(struct handshake *handshake, unsigned byte)
{
	unsigned char one = (unsigned char)byte;
	return handshake_put(handshake, &one, 1);
}

static bool
socks_put_port(struct handshake *handshake)
{
	return socks_put_byte(handshake, handshake->request.port >> 8) &&
		socks_put_byte(handshake, handshake->request.port & 0xff);
}

/* A length in one byte, and the text. */
static bool
socks_put_text(struct handshake *handshake, const char *text)
{
	size_t length = strlen(text);
	return length <= SOCKS_NAME_MAX && socks_put_byte(handshake, (unsigned)length) &&
		handshake_put(handshake, text, length);
}

/* --- version 4 --- */

static bool
socks_v4_start(struct handshake *handshake)
{
	static const unsigned char head[] = { 4, SOCKS_CONNECT }, named[] = { 0, 0, 0, 1 };
	const struct handshake_request *request = &handshake->request;
	const struct address *address = request->address;
	const char *user = request->user != NULL ? request->user : "";
	if (address != NULL && address->any.sa_family != AF_INET)
		return socks_cannot(handshake, "SOCKS4 cannot connect to an IPv6 address");
	if (strlen(user) > HANDSHAKE_SECRET_MAX)
		return socks_cannot(handshake, "the user name is too long");
	if (!handshake_put(handshake, head, sizeof head) || !socks_put_port(handshake) ||
		!handshake_put(handshake,
			address != NULL ? (const void *)&address->v4.sin_addr : named,
			sizeof named) ||
		!handshake_put(handshake, user, strlen(user) + 1) ||
		(address == NULL &&
			!handshake_put(handshake, request->host, strlen(request->host) + 1)))
		return socks_cannot(handshake, "the request is too long");
	(void)handshake_want(handshake, 1);
	return true;
}

static enum handshake_result
socks_v4_step(struct handshake *handshake)
{
	/* Some send 4 in place of 0. */
	if (handshake->in[0] != 0 && handshake->in[0] != 4)
		return socks_mistake(handshake);
	if (handshake->in_length < 8) {
		handshake->wants = 8 - handshake->in_length;
		return HANDSHAKE_MORE;
	}
	return handshake->in[1] == 90 ? HANDSHAKE_DONE
				      : socks_refuse(handshake, socks_v4_rows, handshake->in[1]);
}

const struct handshake_protocol socks_v4_protocol = {
	.start = socks_v4_start, .step = socks_v4_step, .code = "code"
};

/* --- version 5 --- */

static bool
socks_v5_start(struct handshake *handshake)
{
	static const unsigned char open[] = { 5, 1, SOCKS_METHOD_NONE };
	static const unsigned char both[] = { 5, 2, SOCKS_METHOD_NONE, SOCKS_METHOD_LOGIN };
	bool login = handshake->request.user != NULL;
	handshake->state = SOCKS_METHOD;
	(void)handshake_want(handshake, 2);
	return login ? handshake_put(handshake, both, sizeof both)
		     : handshake_put(handshake, open, sizeof open);
}

static bool
socks_v5_put_target(struct handshake *handshake)
{
	const struct address *address = handshake->request.address;
	if (address == NULL)
		return socks_put_byte(handshake, SOCKS_NAME) &&
			socks_put_text(handshake, handshake->request.host);
	if (address->any.sa_family == AF_INET)
		return socks_put_byte(handshake, SOCKS_IPV4) &&
			handshake_put(handshake, &address->v4.sin_addr, 4);
	return socks_put_byte(handshake, SOCKS_IPV6) &&
		handshake_put(handshake, &address->v6.sin6_addr, 16);
}

static enum handshake_result
socks_v5_connect(struct handshake *handshake)
{
	static const unsigned char head[] = { 5, SOCKS_CONNECT, 0 };
	/* The own address is not known: NAT may change it. */
	static const unsigned char associate[10] = { 5, SOCKS_ASSOCIATE, 0, SOCKS_IPV4 };
	handshake->state = SOCKS_REPLY;
	if (handshake->request.datagrams) {
		(void)handshake_put(handshake, associate, sizeof associate);
		return handshake_want(handshake, 2);
	}
	return handshake_put(handshake, head, sizeof head) && socks_v5_put_target(handshake) &&
			socks_put_port(handshake)
		? handshake_want(handshake, 2)
		: handshake_fail(handshake, HANDSHAKE_REFUSED, "the name is too long", 0);
}

static enum handshake_result
socks_v5_login(struct handshake *handshake)
{
	const struct handshake_request *request = &handshake->request;
	handshake->state = SOCKS_LOGIN;
	return socks_put_byte(handshake, 1) && socks_put_text(handshake, request->user) &&
			socks_put_text(
				handshake, request->password != NULL ? request->password : "")
		? handshake_want(handshake, 2)
		: handshake_fail(handshake, HANDSHAKE_REFUSED, "user or password is too long", 0);
}

static enum handshake_result
socks_v5_method(struct handshake *handshake)
{
	bool login = handshake->request.user != NULL;
	if (handshake->in[0] != 5)
		return socks_mistake(handshake);
	if (handshake->in[1] == SOCKS_METHOD_NONE)
		return socks_v5_connect(handshake);
	if (handshake->in[1] == SOCKS_METHOD_LOGIN && login)
		return socks_v5_login(handshake);
	if (handshake->in[1] == SOCKS_METHOD_REFUSED)
		return handshake_fail(handshake, HANDSHAKE_REFUSED,
			login ? "no acceptable authentication method" : "authentication required",
			0);
	return handshake_fail(handshake, HANDSHAKE_MALFORMED,
		"it chose an authentication method that was not offered", handshake->in[1]);
}

/* The address that the proxy has bound: its type and first byte are known. */
static enum handshake_result
socks_v5_bound(struct handshake *handshake)
{
	unsigned type = handshake->in[1];
	handshake->state = SOCKS_BOUND_REST;
	memcpy(handshake->bound_head, handshake->in + 1, sizeof handshake->bound_head);
	if (type == SOCKS_IPV4)
		return handshake_want(handshake, 4 - 1 + 2);
	if (type == SOCKS_IPV6)
		return handshake_want(handshake, 16 - 1 + 2);
	if (type == SOCKS_NAME)
		return handshake_want(handshake, handshake->in[2] + (size_t)2);
	return handshake_fail(
		handshake, HANDSHAKE_MALFORMED, "unknown address type in the reply", type);
}

/* The rest of the address that the proxy has bound. */
static void
socks_v5_set_bound(struct handshake *handshake)
{
	unsigned char bytes[SOCKS_UDP_MAX] = { 0 };
	struct socks_udp bound;
	/* Its form is that of the header of a datagram. */
	memcpy(bytes + 3, handshake->bound_head, 2);
	memcpy(bytes + 5, handshake->in, handshake->in_length);
	if (socks_udp_read(&bound, bytes, 5 + handshake->in_length) == NULL)
		handshake->bound = bound.address;
}

static enum handshake_result
socks_v5_step(struct handshake *handshake)
{
	switch ((enum socks_state)handshake->state) {
	case SOCKS_METHOD:
		return socks_v5_method(handshake);
	case SOCKS_LOGIN:
		/* Some send the version of the protocol, not that of the login. */
		if (handshake->in[0] != 1 && handshake->in[0] != 5)
			return socks_mistake(handshake);
		return handshake->in[1] == 0
			? socks_v5_connect(handshake)
			: handshake_fail(handshake, HANDSHAKE_REFUSED, "wrong user or password", 0);
	case SOCKS_REPLY:
		if (handshake->in[0] != 5)
			return socks_mistake(handshake);
		if (handshake->in[1] != 0)
			return socks_refuse(handshake, socks_v5_rows, handshake->in[1]);
		handshake->state = SOCKS_BOUND;
		return handshake_want(handshake, 3);
	case SOCKS_BOUND:
		return socks_v5_bound(handshake);
	case SOCKS_BOUND_REST:
		socks_v5_set_bound(handshake);
		break;
	}
	return HANDSHAKE_DONE;
}

const struct handshake_protocol socks_v5_protocol = {
	.start = socks_v5_start, .step = socks_v5_step, .code = "code"
};
