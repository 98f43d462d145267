/* Tunnels through HTTP proxies; see http_proxy.h. */
#include "net/http_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "frame/base64.h"

/* The part of the status line that is looked at: "HTTP/1.1 200", and what ends the number. */
#define HTTP_PROXY_STATUS 13

#define HTTP_PROXY_METHOD "CONNECT "
#define HTTP_PROXY_LOGIN_NEEDED 407

enum http_proxy_state {
	HTTP_PROXY_FIRST,
	HTTP_PROXY_STATUS_LINE,
	HTTP_PROXY_FIELDS,
	HTTP_PROXY_BODY /* of an answer that demands a login */
};

static const struct {
	unsigned code;
	enum handshake_result result;
	const char *words;
	int error; /* see struct handshake */
	bool transient;
} http_proxy_rows[] = {
	{ 400, HANDSHAKE_REFUSED, "bad request", 0, false },
	{ 401, HANDSHAKE_REFUSED, "unauthorized", 0, false },
	{ 403, HANDSHAKE_REFUSED, "forbidden", 0, false },
	{ 404, HANDSHAKE_REFUSED, "not found", 0, false },
	{ 405, HANDSHAKE_REFUSED, "method CONNECT not allowed", 0, false },
	{ HTTP_PROXY_LOGIN_NEEDED, HANDSHAKE_REFUSED, "authentication required", 0, false },
	{ 408, HANDSHAKE_REFUSED, "request timeout", 0, true },
	{ 429, HANDSHAKE_REFUSED, "too many requests", 0, true },
	{ 500, HANDSHAKE_REFUSED, "internal error of the proxy", 0, true },
	{ 501, HANDSHAKE_REFUSED, "method CONNECT not implemented", 0, false },
	{ 502, HANDSHAKE_TARGET, "bad gateway", EHOSTUNREACH, true },
	{ 503, HANDSHAKE_TARGET, "service unavailable", EHOSTUNREACH, true },
	{ 504, HANDSHAKE_TARGET, "gateway timeout", ETIMEDOUT, true },
	{ 0, HANDSHAKE_REFUSED, "refused", 0, false },
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
	if (user == NULL || handshake->request.digest)
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

/* Puts a request, with these credentials for Digest; NULL: not yet. */
static bool
http_proxy_request(struct handshake *handshake, const char *credentials)
{
	(void)handshake_want(handshake, 1);
	handshake->state = HTTP_PROXY_FIRST;
	if (http_proxy_put(handshake, HTTP_PROXY_METHOD) && http_proxy_put_target(handshake) &&
		http_proxy_put(handshake, " HTTP/1.1\r\nHost: ") &&
		http_proxy_put_target(handshake) && http_proxy_put(handshake, "\r\n") &&
		http_proxy_put_login(handshake) &&
		(credentials == NULL ||
			(http_proxy_put(handshake, "Proxy-Authorization: ") &&
				http_proxy_put(handshake, credentials) &&
				http_proxy_put(handshake, "\r\n"))) &&
		http_proxy_put_fields(handshake) && http_proxy_put(handshake, "\r\n"))
		return true;
	(void)handshake_fail(handshake, HANDSHAKE_REFUSED, "the request is too long", 0);
	return false;
}

static bool
http_proxy_start(struct handshake *handshake)
{
	return http_proxy_request(handshake, NULL);
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
	/* HTTP/1.0 has no connections that persist. */
	handshake->login.closed = in[at] == '0';
	handshake->code = 0;
	for (at += 2; at < HTTP_PROXY_STATUS - 1; at++) {
		if (in[at] < '0' || in[at] > '9')
			return false;
		handshake->code = 10 * handshake->code + in[at] - '0';
	}
	return handshake->code >= 100 && (in[at] == ' ' || in[at] == '\r' || in[at] == '\n');
}

/* --- the login --- */

/* The value of a field; NULL: it has another name. */
static const char *
http_proxy_value(const char *line, const char *name)
{
	size_t length = strlen(name);
	if (strncasecmp(line, name, length) != 0 || line[length] != ':')
		return NULL;
	line += length + 1;
	return line + strspn(line, " \t");
}

/* Looks at a field of an answer that demands a login. */
static void
http_proxy_look(struct handshake_login *login)
{
	static const char scheme[] = "Digest ";
	const char *line = login->line, *value;
	if ((value = http_proxy_value(line, "Proxy-Authenticate")) != NULL &&
		strncasecmp(value, scheme, sizeof scheme - 1) == 0)
		http_digest_take(&login->digest, value + sizeof scheme - 1);
	if ((value = http_proxy_value(line, "Content-Length")) != NULL) {
		uint64_t size = 0;
		login->sized = parse_count(value, HTTP_PROXY_HEADER_MAX, &size) == PARSE_OK;
		login->body = (size_t)size;
	}
	if (((value = http_proxy_value(line, "Connection")) != NULL ||
		    (value = http_proxy_value(line, "Proxy-Connection")) != NULL) &&
		strcasecmp(value, "close") == 0)
		login->closed = true;
	if (http_proxy_value(line, "Transfer-Encoding") != NULL)
		login->closed = true;
}

/* Adds a byte to the current field, and looks at it when it has ended. */
static void
http_proxy_collect(struct handshake_login *login, unsigned char byte)
{
	size_t length = login->line_length;
	if (byte != '\n') {
		if (length < sizeof login->line - 1)
			login->line[login->line_length++] = (char)byte;
		return;
	}
	while (length > 0 && strchr(" \t\r", login->line[length - 1]) != NULL)
		length--;
	login->line[length] = '\0';
	/* A field that was cut is none. */
	if (login->line_length < sizeof login->line - 1 && strlen(login->line) == length)
		http_proxy_look(login);
	login->line_length = 0;
}

/* The target of the request, from what was sent. False: it is too long. */
static bool
http_proxy_target(const struct handshake *handshake, char target[static HTTP_DIGEST_VALUE])
{
	const char *start = (const char *)handshake->out + sizeof HTTP_PROXY_METHOD - 1;
	const char *end = memchr(start, ' ', handshake->out_length - sizeof HTTP_PROXY_METHOD);
	if (end == NULL || (size_t)(end - start) >= HTTP_DIGEST_VALUE)
		return false;
	memcpy(target, start, (size_t)(end - start));
	target[end - start] = '\0';
	return true;
}

/* Asks again, with the credentials. */
static enum handshake_result
http_proxy_log_in(struct handshake *handshake)
{
	char target[HTTP_DIGEST_VALUE], credentials[HTTP_DIGEST_ANSWER];
	const struct http_digest_login login = {
		.user = handshake->request.user,
		.password = handshake->request.password,
		.method = "CONNECT",
		.target = target,
		.cnonce = handshake->request.cnonce,
	};
	if (!http_proxy_target(handshake, target) ||
		!http_digest_answer(&handshake->login.digest, &login, credentials))
		return handshake_fail(handshake, HANDSHAKE_REFUSED,
			"the login cannot be computed, or is too long", 0);
	handshake->request.digest = false;
	handshake->request.user = NULL;
	handshake->taken = handshake->lines = handshake->column = 0;
	return http_proxy_request(handshake, credentials) ? HANDSHAKE_MORE : HANDSHAKE_REFUSED;
}

/* A login with Digest is demanded. */
static enum handshake_result
http_proxy_challenged(struct handshake *handshake)
{
	const struct handshake_login *login = &handshake->login;
	unsigned code = handshake->code;
	if (login->digest.algorithm == NULL)
		return handshake_fail(handshake, HANDSHAKE_REFUSED,
			"it offers no login with Digest (MD5 or SHA-256)", code);
	if (login->closed || !login->sized) {
		enum handshake_result result = http_proxy_log_in(handshake);
		return result == HANDSHAKE_MORE ? HANDSHAKE_AGAIN : result;
	}
	handshake->state = HTTP_PROXY_BODY;
	return login->body > 0 ? handshake_want(handshake, login->body)
			       : http_proxy_log_in(handshake);
}

/* The header has ended. */
static enum handshake_result
http_proxy_check(struct handshake *handshake)
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
	if (code == HTTP_PROXY_LOGIN_NEEDED && handshake->request.digest)
		return http_proxy_challenged(handshake);
	while (http_proxy_rows[i].code != code && http_proxy_rows[i].code != 0)
		i++;
	handshake->error = http_proxy_rows[i].error;
	handshake->transient = http_proxy_rows[i].transient;
	return handshake_fail(handshake, http_proxy_rows[i].result, http_proxy_rows[i].words, code);
}

/* Looks at one byte of the header. False: the last one, which ended it. */
static bool
http_proxy_feed(struct handshake *handshake, unsigned char byte)
{
	if (handshake->request.digest && handshake->code == HTTP_PROXY_LOGIN_NEEDED)
		http_proxy_collect(&handshake->login, byte);
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
			return http_proxy_check(handshake);
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
	case HTTP_PROXY_BODY:
		return http_proxy_log_in(handshake);
	}
	return http_proxy_malformed(handshake, "the answer is not HTTP/1");
}

const struct handshake_protocol http_proxy_protocol = {
	.start = http_proxy_start, .step = http_proxy_step, .code = "status"
};
