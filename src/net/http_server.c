/*
 * The server's side of HTTP CONNECT; see proxy_request.h.
 *
 * The grammar is that of RFC 9112 without its tolerances: what two programs may read differently is
 * refused.
 */
#include "net/proxy_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "frame/base64.h"
#include "frame/frame.h"

/* The least that follows the target of a request: " HTTP/1.1", and two line ends. */
#define HTTP_SERVER_TAIL (sizeof " HTTP/1.1\r\n\r\n" - 1)
#define HTTP_SERVER_LEAST (sizeof "CONNECT a:1 HTTP/1.1\r\n\r\n" - 1)

#define HTTP_SERVER_LOGIN "Proxy-Authenticate: Basic realm=\"sockcat\", charset=\"UTF-8\"\r\n"

struct http_server_answer {
	unsigned code;
	const char *reason;
};

static const struct http_server_answer http_server_bad = { 400, "Bad Request" };
static const struct http_server_answer http_server_login = { 407, "Proxy Authentication Required" };
static const struct http_server_answer http_server_long = { 431,
	"Request Header Fields Too Large" };
static const struct http_server_answer http_server_method = { 501, "Not Implemented" };
static const struct http_server_answer http_server_version = { 505, "HTTP Version Not Supported" };

static const struct http_server_answer http_server_outcomes[PROXY_REQUEST_OUTCOMES] = {
	[PROXY_REQUEST_CONNECTED] = { 200, "Connection established" },
	[PROXY_REQUEST_DENIED] = { 403, "Forbidden" },
	[PROXY_REQUEST_UNKNOWN] = { 502, "Bad Gateway" },
	[PROXY_REQUEST_NO_LISTENER] = { 502, "Bad Gateway" },
	[PROXY_REQUEST_NO_NETWORK] = { 502, "Bad Gateway" },
	[PROXY_REQUEST_NO_HOST] = { 502, "Bad Gateway" },
	[PROXY_REQUEST_TIMED_OUT] = { 504, "Gateway Timeout" },
	[PROXY_REQUEST_FAILED] = { 502, "Bad Gateway" },
};

/* The fields that matter. */
enum http_server_field {
	HTTP_SERVER_HOST,
	HTTP_SERVER_AUTHORIZATION,
	HTTP_SERVER_LENGTH,
	HTTP_SERVER_CODING
};
static const char *const http_server_fields[] = { [HTTP_SERVER_HOST] = "host",
	[HTTP_SERVER_AUTHORIZATION] = "proxy-authorization",
	[HTTP_SERVER_LENGTH] = "content-length",
	[HTTP_SERVER_CODING] = "transfer-encoding" };
#define HTTP_SERVER_FIELDS (sizeof http_server_fields / sizeof http_server_fields[0])

/* Puts an answer with one line of text. */
static void
http_server_put(struct proxy_request *request, const struct http_server_answer *answer,
	const char *fields, const char *words)
{
	char text[PROXY_REQUEST_OUT];
	int n = snprintf(text, sizeof text,
		"HTTP/1.1 %u %s\r\n%sContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s\n",
		answer->code, answer->reason, fields, strlen(words) + 1, words);
	proxy_request_put(request, text, n > 0 && (size_t)n < sizeof text ? (size_t)n : 0);
}

static enum proxy_request_result
http_server_refuse(
	struct proxy_request *request, const struct http_server_answer *answer, const char *words)
{
	http_server_put(
		request, answer, answer == &http_server_login ? HTTP_SERVER_LOGIN : "", words);
	return proxy_request_refuse(request, words);
}

static void
http_server_answer(struct proxy_request *request, enum proxy_request_outcome outcome)
{
	static const char good[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	if (outcome == PROXY_REQUEST_CONNECTED)
		proxy_request_put(request, good, sizeof good - 1);
	else
		http_server_put(
			request, &http_server_outcomes[outcome], "", proxy_request_words(outcome));
}

/* Whether all bytes are those of a token (RFC 9110, 5.6.2), at least one. */
static bool
http_server_is_token(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = bytes[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		bool digit = c >= '0' && c <= '9';
		if (!letter && !digit && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return n > 0;
}

/* Whether the text of n bytes is that one, whatever the case of its letters. */
static bool
http_server_is(const unsigned char *bytes, size_t n, const char *text)
{
	return n == strlen(text) && strncasecmp((const char *)bytes, text, n) == 0;
}

/* --- the request line --- */

/* Sets the target: host:port, an IPv6 address in brackets. NULL, or why it is none. */
static const char *
http_server_set_target(struct proxy_request *request, const unsigned char *target, size_t n)
{
	char port[sizeof "65535"];
	uint64_t number;
	size_t colon = n;
	while (colon > 0 && target[colon - 1] != ':')
		colon--;
	size_t host = colon > 0 ? colon - 1 : 0, digits = n - colon;
	bool brackets = host > 0 && target[0] == '[' && target[host - 1] == ']';
	if (host == 0 || digits == 0 || digits >= sizeof port || target[colon] == '0' ||
		(!brackets && memchr(target, ':', host) != NULL))
		return "the target of CONNECT has to be host:port";
	memcpy(port, target + colon, digits);
	port[digits] = '\0';
	if (parse_count(port, UINT16_MAX, &number) != PARSE_OK)
		return "the target of CONNECT has to be host:port";
	return proxy_request_set_target(request, target, host, (uint32_t)number);
}

static enum proxy_request_result
http_server_request_line(struct proxy_request *request)
{
	static const char version[] = "HTTP/1.";
	const unsigned char *line = request->in, *end = line + request->in_length;
	const unsigned char *first = memchr(line, ' ', request->in_length);
	const unsigned char *target = first != NULL ? first + 1 : end;
	const unsigned char *second = memchr(target, ' ', (size_t)(end - target));
	if (second == NULL || !http_server_is_token(line, (size_t)(first - line)) ||
		second == target || end - second < (ptrdiff_t)sizeof version + 1 ||
		memcmp(second + 1, version, 5) != 0 ||
		memchr(second + 1, ' ', (size_t)(end - second - 1)) != NULL)
		return http_server_refuse(
			request, &http_server_bad, "the request line is malformed");
	if (end - second != (ptrdiff_t)sizeof version + 1 ||
		memcmp(second + 1, version, sizeof version - 1) != 0 ||
		(end[-1] != '0' && end[-1] != '1'))
		return http_server_refuse(
			request, &http_server_version, "only HTTP/1.0 and HTTP/1.1 are supported");
	request->old = end[-1] == '0';
	if (first - line != 7 || memcmp(line, "CONNECT", 7) != 0)
		return http_server_refuse(request, &http_server_method,
			"only the method CONNECT is supported; with curl: --proxytunnel");
	const char *wrong = http_server_set_target(request, target, (size_t)(second - target));
	return wrong != NULL ? http_server_refuse(request, &http_server_bad, wrong)
			     : PROXY_REQUEST_MORE;
}

/* --- the fields --- */

/* Checks the user and password of Basic authentication (RFC 7617). */
static void
http_server_log_in(struct proxy_request *request, const unsigned char *value, size_t n)
{
	static const char scheme[] = "basic ";
	unsigned char plain[PROXY_REQUEST_IN];
	struct frame_part part = { 0 };
	size_t skip = sizeof scheme - 1;
	if (!proxy_request_needs_login(request) || n < skip ||
		strncasecmp((const char *)value, scheme, skip) != 0)
		return;
	while (skip < n && value[skip] == ' ')
		skip++;
	request->wrong_login = true;
	if (base64_read(value + skip, n - skip, plain, &part) != FRAME_DONE)
		return;
	const unsigned char *colon = memchr(part.message, ':', part.length);
	if (colon == NULL)
		return;
	size_t user = (size_t)(colon - part.message);
	request->logged_in = proxy_users_match(
		request->rules.users, part.message, user, colon + 1, part.length - user - 1);
	request->wrong_login = !request->logged_in;
}

/* Looks at a field. */
static enum proxy_request_result
http_server_field(struct proxy_request *request)
{
	const unsigned char *line = request->in, *end = line + request->in_length;
	const unsigned char *colon = memchr(line, ':', request->in_length);
	size_t id = 0;
	if (colon == NULL || !http_server_is_token(line, (size_t)(colon - line)))
		return http_server_refuse(request, &http_server_bad, "a header field is malformed");
	while (id < HTTP_SERVER_FIELDS &&
		!http_server_is(line, (size_t)(colon - line), http_server_fields[id]))
		id++;
	if (id == HTTP_SERVER_FIELDS)
		return PROXY_REQUEST_MORE;
	if (id == HTTP_SERVER_LENGTH || id == HTTP_SERVER_CODING)
		return http_server_refuse(
			request, &http_server_bad, "a request with CONNECT has no content");
	if ((request->fields & 1U << id) != 0)
		return http_server_refuse(
			request, &http_server_bad, "a header field is there twice");
	request->fields |= 1U << id;
	const unsigned char *value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (id == HTTP_SERVER_AUTHORIZATION)
		http_server_log_in(request, value, (size_t)(end - value));
	return PROXY_REQUEST_MORE;
}

/* The header has ended. */
static enum proxy_request_result
http_server_check(struct proxy_request *request)
{
	if (!request->old && (request->fields & 1U << HTTP_SERVER_HOST) == 0)
		return http_server_refuse(request, &http_server_bad, "the field Host is missing");
	if (proxy_request_needs_login(request) && !request->logged_in)
		return http_server_refuse(request, &http_server_login,
			request->wrong_login ? "wrong user or password"
					     : "a user and password are required");
	return PROXY_REQUEST_TARGET;
}

/* --- bytes --- */

/* A line has ended. */
static enum proxy_request_result
http_server_line(struct proxy_request *request)
{
	enum proxy_request_result result;
	request->carriage_return = false;
	if (request->lines++ == 0)
		result = http_server_request_line(request);
	else if (request->in_length == 0)
		return http_server_check(request);
	else
		result = http_server_field(request);
	request->in_length = 0;
	if (result == PROXY_REQUEST_MORE && request->lines > PROXY_REQUEST_LINES_MAX)
		return http_server_refuse(
			request, &http_server_long, "the request has more than 100 lines");
	return result;
}

static enum proxy_request_result
http_server_byte(struct proxy_request *request, unsigned char byte)
{
	bool first = request->lines == 0;
	if (request->carriage_return != (byte == '\n'))
		return http_server_refuse(
			request, &http_server_bad, "a line does not end with CR and LF");
	if (byte == '\n')
		return http_server_line(request);
	if (byte == '\r') {
		request->carriage_return = true;
		return PROXY_REQUEST_MORE;
	}
	if (byte == 0x7f || (byte < ' ' && (byte != '\t' || first)) || (byte >= 0x80 && first))
		return http_server_refuse(
			request, &http_server_bad, "the request has a control character");
	return proxy_request_keep(request, &byte, 1)
		? PROXY_REQUEST_MORE
		: http_server_refuse(request, &http_server_long,
			  "a line of the request is longer than 1024 bytes");
}

/* The number of bytes that follow at least. */
static size_t
http_server_least(const struct proxy_request *request)
{
	size_t line = request->in_length;
	if (request->lines > 0)
		return (line > 0 ? 4U : 2U) - request->carriage_return;
	const unsigned char *first = memchr(request->in, ' ', line);
	size_t from = first != NULL ? (size_t)(first - request->in) + 1 : line;
	const unsigned char *second = memchr(request->in + from, ' ', line - from);
	size_t tail = second != NULL ? line - (size_t)(second - request->in) : 0;
	size_t least = line < HTTP_SERVER_LEAST ? HTTP_SERVER_LEAST - line : 0;
	if (second != NULL || least < HTTP_SERVER_TAIL)
		least = tail < HTTP_SERVER_TAIL - 4 ? HTTP_SERVER_TAIL - tail : 4;
	return least - request->carriage_return;
}

static enum proxy_request_result
http_server_take(struct proxy_request *request, const unsigned char *bytes, size_t n)
{
	enum proxy_request_result result = PROXY_REQUEST_MORE;
	for (size_t i = 0; i < n && result == PROXY_REQUEST_MORE; i++)
		result = http_server_byte(request, bytes[i]);
	if (result != PROXY_REQUEST_MORE)
		return result;
	if (request->taken >= PROXY_REQUEST_HEADER_MAX)
		return http_server_refuse(
			request, &http_server_long, "the request is longer than 16 KiB");
	return proxy_request_want(request, http_server_least(request));
}

const struct proxy_request_protocol http_server_protocol = { .name = "http",
	.bit = PROXY_REQUEST_HTTP,
	.take = http_server_take,
	.answer = http_server_answer };
