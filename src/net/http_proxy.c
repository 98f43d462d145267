/* Tunnels through HTTP proxies; see http_proxy.h. */
#include "net/http_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "frame/base64.h"

/* The part of the status line that is looked at: "HTTP/1.1 200", and what ends the number. */
#define HTTP_PROXY_STATUS 13

enum http_proxy_state { HTTP_PROXY_FIRST, HTTP_PROXY_STATUS_LINE, HTTP_PROXY_FIELDS };

static const struct {
	unsigned code;
	enum handshake_result result;
	const char *words;
	int error; /* see struct handshake */
} http_proxy_rows[] = {
	{ 400, HANDSHAKE_REFUSED, "bad request", 0 },
	{ 401, HANDSHAKE_REFUSED, "unauthorized", 0 },
	{ 403, HANDSHAKE_REFUSED, "forbidden", 0 },
	{ 404, HANDSHAKE_REFUSED, "not found", 0 },
	{ 405, HANDSHAKE_REFUSED, "method CONNECT not allowed", 0 },
	{ 407, HANDSHAKE_REFUSED, "authentication required", 0 },
	{ 429, HANDSHAKE_REFUSED, "too many requests", 0 },
	{ 500, HANDSHAKE_REFUSED, "internal error of the proxy", 0 },
	{ 501, HANDSHAKE_REFUSED, "method CONNECT not implemented", 0 },
	{ 502, HANDSHAKE_TARGET, "bad gateway", EHOSTUNREACH },
	{ 503, HANDSHAKE_TARGET, "service unavailable", EHOSTUNREACH },
	{ 504, HANDSHAKE_TARGET, "gateway timeout", ETIMEDOUT },
	{ 0, HANDSHAKE_REFUSED, "refused", 0 },
};

static bool
http_proxy_put(struct handshake *handshake, const char *text)
{
	return handshake_put(handshake, text, strlen(text));
}

/* The host and port, with brackets around an IPv6 address. */
static bool
http_proxy_put_target(struct handshake *handshake)
{
	const struct address *address = handshake->request.address;
	const char *host = handshake->request.host;
	char port[sizeof ":65535"], text[INET6_ADDRSTRLEN];
	if (address != NULL)
		host = inet_ntop(address->any.sa_family,
			address->any.sa_family == AF_INET ? (const void *)&address->v4.sin_addr
							  : &address->v6.sin6_addr,
			text, sizeof text);
	if (host == NULL)
		return false;
	bool six = strchr(host, ':') != NULL;
	(void)snprintf(port, sizeof port, ":%" PRIu16, handshake->request.port);
	return (!six || http_proxy_put(handshake, "[")) && http_proxy_put(handshake, host) &&
		(!six || http_proxy_put(handshake, "]")) && http_proxy_put(handshake, port);
}

/* Basic authentication (RFC 7617). */
static bool
http_proxy_put_login(struct handshake *handshake)
{
	unsigned char plain[2 * HANDSHAKE_SECRET_MAX + 1];
	unsigned char coded[(sizeof plain + 2) / 3 * 4];
	const char *user = handshake->request.user;
	const char *password = handshake->request.password;
	if (user == NULL)
		return true;
	size_t first = strlen(user), second = password != NULL ? strlen(password) : 0;
	if (first > HANDSHAKE_SECRET_MAX || second > HANDSHAKE_SECRET_MAX)
		return false;
	memcpy(plain, user, first);
	plain[first] = ':';
	if (second > 0)
		memcpy(plain + first + 1, password, second);
	size_t length = base64_write(plain, first + 1 + second, coded);
	return http_proxy_put(handshake, "Proxy-Authorization: Basic ") &&
		handshake_put(handshake, coded, length) && http_proxy_put(handshake, "\r\n");
}

/* The fields of the request. */
static bool
http_proxy_put_fields(struct handshake *handshake)
{
	const struct handshake_request *request = &handshake->request;
	bool put = true;
	for (size_t i = 0; put && i < request->field_count; i++)
		put = http_proxy_put(handshake, request->fields[i]) &&
			http_proxy_put(handshake, "\r\n");
	return put;
}

static bool
http_proxy_start(struct handshake *handshake)
{
	(void)handshake_want(handshake, 1);
	if (http_proxy_put(handshake, "CONNECT ") && http_proxy_put_target(handshake) &&
		http_proxy_put(handshake, " HTTP/1.1\r\nHost: ") &&
		http_proxy_put_target(handshake) && http_proxy_put(handshake, "\r\n") &&
		http_proxy_put_login(handshake) && http_proxy_put_fields(handshake) &&
		http_proxy_put(handshake, "\r\n"))
		return true;
	(void)handshake_fail(handshake, HANDSHAKE_REFUSED, "the request is too long", 0);
	return false;
}

static enum handshake_result
http_proxy_malformed(struct handshake *handshake, const char *words)
{
	return handshake_fail(handshake, HANDSHAKE_MALFORMED, words, 0);
}

/* Parses the beginning of the status line: sets the code. */
static bool
http_proxy_read_status(struct handshake *handshake)
{
	static const char version[] = "HTTP/1.";
	const unsigned char *in = handshake->in;
	size_t at = sizeof version - 1;
	if (memcmp(in, version, at) != 0 || (in[at] != '0' && in[at] != '1') || in[at + 1] != ' ')
		return false;
	handshake->code = 0;
	for (at += 2; at < HTTP_PROXY_STATUS - 1; at++) {
		if (in[at] < '0' || in[at] > '9')
			return false;
		handshake->code = 10 * handshake->code + in[at] - '0';
	}
	return handshake->code >= 100 && (in[at] == ' ' || in[at] == '\r' || in[at] == '\n');
}

/* The header has ended. */
static enum handshake_result
http_proxy_judge(struct handshake *handshake)
{
	unsigned code = handshake->code;
	size_t i = 0;
	/* An interim response; the final one follows. */
	if (code < 200 && code != 101) {
		handshake->state = HTTP_PROXY_FIRST;
		return handshake_want(handshake, 1);
	}
	if (code >= 200 && code <= 299)
		return HANDSHAKE_DONE;
	while (http_proxy_rows[i].code != code && http_proxy_rows[i].code != 0)
		i++;
	handshake->error = http_proxy_rows[i].error;
	return handshake_fail(handshake, http_proxy_rows[i].result, http_proxy_rows[i].words, code);
}

/* Looks at one byte of the header. False: the last one, which ended it. */
static bool
http_proxy_feed(struct handshake *handshake, unsigned char byte)
{
	if (byte != '\n') {
		/* A CR before the LF is not part of the line. */
		handshake->column += byte != '\r' || handshake->column > 0;
		return true;
	}
	handshake->lines++;
	bool empty = handshake->column == 0;
	handshake->column = 0;
	return !empty;
}

/*
 * Looks at what was read since the last step. The next step needs no more bytes than the header has
 * at least: a LF if the line is empty so far, otherwise the LFs of this line and of an empty one.
 */
static enum handshake_result
http_proxy_fields(struct handshake *handshake)
{
	for (size_t i = 0; i < handshake->in_length; i++)
		if (!http_proxy_feed(handshake, handshake->in[i]))
			return http_proxy_judge(handshake);
	if (handshake->lines >= HTTP_PROXY_LINES_MAX)
		return http_proxy_malformed(handshake, "the answer has more than 100 lines");
	if (handshake->taken >= HTTP_PROXY_HEADER_MAX)
		return http_proxy_malformed(handshake, "the answer is longer than 16 KiB");
	return handshake_want(handshake, handshake->column == 0 ? 1 : 2);
}

static enum handshake_result
http_proxy_step(struct handshake *handshake)
{
	switch ((enum http_proxy_state)handshake->state) {
	case HTTP_PROXY_FIRST:
		if (handshake->in[0] != 'H')
			break;
		handshake->state = HTTP_PROXY_STATUS_LINE;
		handshake->wants = HTTP_PROXY_STATUS - handshake->in_length;
		return HANDSHAKE_MORE;
	case HTTP_PROXY_STATUS_LINE:
		if (!http_proxy_read_status(handshake))
			break;
		handshake->state = HTTP_PROXY_FIELDS;
		return http_proxy_fields(handshake);
	case HTTP_PROXY_FIELDS:
		return http_proxy_fields(handshake);
	}
	return http_proxy_malformed(handshake, "the answer is not HTTP/1");
}

const struct handshake_protocol http_proxy_protocol = {
	.start = http_proxy_start, .step = http_proxy_step, .code = "status"
};
