/* Requests to a proxy server: the bytes of RFC 1928, RFC 1929, SOCKS4A and RFC 9110, at every cut;
 * no byte behind a request is wanted, and what can be read in two ways is refused. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "net/proxy_request.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

enum {
	ALL = PROXY_REQUEST_HTTP | PROXY_REQUEST_SOCKS4 | PROXY_REQUEST_SOCKS5,
	LOGIN = 8,
	NUMERIC = 16,
	DATAGRAMS = 32
};

struct proxy_request_case {
	unsigned rules;
	const unsigned char *in;
	size_t in_length;
	const char *host; /* NULL: refused */
	uint32_t port;
	const unsigned char *out; /* without HTTP's */
	size_t out_length;
	const char *words;
};

#define TARGET(rules, in, host, port, out) \
	{ \
		rules, BYTES(in), host, port, BYTES(out), NULL \
	}
#define REFUSED(rules, in, out, words) \
	{ \
		rules, BYTES(in), NULL, 0, BYTES(out), words \
	}
#define HTTP(in, status, words) \
	{ \
		ALL, BYTES(in), NULL, 0, BYTES("HTTP/1.1 " status " "), words \
	}
#define LOGGED(in, status, words) \
	{ \
		ALL | LOGIN, BYTES(in), NULL, 0, BYTES("HTTP/1.1 " status " "), words \
	}
#define CONNECT "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n"
#define AUTHORITY "the target of CONNECT has to be host:port"
#define NOT_TARGET "the target is not a name or an address"
#define CONTROL "the request has a control character"
#define FIELD "a header field is malformed"
#define LINE "the request line is malformed"
#define ENDING "a line does not end with CR and LF"
#define FAIL4 "\0\133\0\0\0\0\0\0"
#define FAIL5 "\0\1\0\0\0\0\0\0"

static const struct proxy_request_case proxy_request_cases[] = {
	/* SOCKS4, 4A. */
	TARGET(ALL, "\4\1\0\120\300\0\2\1\0", "192.0.2.1", 80, ""),
	TARGET(ALL, "\4\1\0\120\300\0\2\1me\0", "192.0.2.1", 80, ""),
	TARGET(ALL, "\4\1\0\120\0\0\0\1\0name\0", "name", 80, ""),
	TARGET(ALL, "\4\1\377\377\0\0\0\377me\0a\0", "a", 65535, ""),
	TARGET(ALL, "\4\1\0\120\0\0\0\0\0", "0.0.0.0", 80, ""),
	REFUSED(ALL, "\4\2\0\120\300\0\2\1\0", FAIL4, "only CONNECT is supported"),
	REFUSED(ALL, "\4\1\0\0\300\0\2\1\0", FAIL4,
		"the port of the target is not one from 1 to 65535"),
	REFUSED(ALL, "\4\1\0\120\0\0\0\1\0\0", FAIL4, NOT_TARGET),
	REFUSED(ALL, "\4\1\0\120\0\0\0\1\0a b\0", FAIL4, NOT_TARGET),
	REFUSED(ALL | LOGIN, "\4\1\0\120\300\0\2\1me\0", FAIL4, "SOCKS4 has no passwords"),
	REFUSED(ALL | NUMERIC, "\4\1\0\120\0\0\0\1\0name\0", FAIL4,
		"names of targets are not resolved (-n)"),
	REFUSED(PROXY_REQUEST_SOCKS5, "\4", "",
		"the protocol is not among those of --proxy-server"),
	/* SOCKS5. */
	TARGET(ALL, "\5\1\0\5\1\0\1\300\0\2\1\0\120", "192.0.2.1", 80, "\5\0"),
	TARGET(ALL, "\5\3\1\2\0\5\1\0\3\4name\1\273", "name", 443, "\5\0"),
	TARGET(ALL,
		"\5\1\0\5\1\0\3\11"
		"192.0.2.1\0\120",
		"192.0.2.1", 80, "\5\0"),
	TARGET(ALL, "\5\1\0\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\120", "2001:db8::1", 80,
		"\5\0"),
	TARGET(ALL | LOGIN, "\5\2\0\2\1\2me\6secret\5\1\0\3\1a\0\120", "a", 80, "\5\2\1\0"),
	TARGET(ALL | LOGIN, "\5\1\2\1\2it\0\5\1\0\3\1a\0\120", "a", 80, "\5\2\1\0"),
	TARGET(ALL | NUMERIC, "\5\1\0\5\1\0\3\3::1\0\120", "::1", 80, "\5\0"),
	REFUSED(ALL, "\5\0", "\5\377", "no login is asked for"),
	REFUSED(ALL, "\5\1\2", "\5\377", "no login is asked for"),
	REFUSED(ALL | LOGIN, "\5\1\0", "\5\377", "a user and password are required"),
	REFUSED(ALL | LOGIN, "\5\1\2\1\2me\6secreT", "\5\2\1\1", "wrong user or password"),
	REFUSED(ALL | LOGIN, "\5\1\2\1\2me\0", "\5\2\1\1", "wrong user or password"),
	REFUSED(ALL | LOGIN, "\5\1\2\1\0\0", "\5\2\1\1", "wrong user or password"),
	REFUSED(ALL | LOGIN, "\5\1\2\1\3me\0\6secret", "\5\2\1\1", "wrong user or password"),
	REFUSED(ALL | LOGIN, "\5\1\2\5\1", "\5\2\1\1", "the login is malformed"),
	REFUSED(ALL, "\5\1\0\4\1\0\1", "\5\0\5\1" FAIL5, "the request is malformed"),
	REFUSED(ALL, "\5\1\0\5\1\1\1", "\5\0\5\1" FAIL5, "the request is malformed"),
	REFUSED(ALL, "\5\1\0\5\2\0\1", "\5\0\5\7" FAIL5, "only CONNECT is supported"),
	REFUSED(ALL, "\5\1\0\5\3\0\1", "\5\0\5\7" FAIL5,
		"UDP ASSOCIATE is not served (--proxy-server=socks5,udp)"),
	REFUSED(ALL | DATAGRAMS, "\5\1\0\5\2\0\1", "\5\0\5\7" FAIL5,
		"only CONNECT and UDP ASSOCIATE are supported"),
	REFUSED(ALL | DATAGRAMS, "\5\1\0\5\3\0\2", "\5\0\5\10" FAIL5, "unknown type of address"),
	REFUSED(ALL | DATAGRAMS, "\5\1\0\5\3\1\1", "\5\0\5\1" FAIL5, "the request is malformed"),
	REFUSED(ALL | DATAGRAMS | LOGIN, "\5\1\0", "\5\377", "a user and password are required"),
	REFUSED(ALL, "\5\1\0\5\1\0\2", "\5\0\5\10" FAIL5, "unknown type of address"),
	REFUSED(ALL, "\5\1\0\5\1\0\3\0\0\120", "\5\0\5\1" FAIL5, NOT_TARGET),
	REFUSED(ALL, "\5\1\0\5\1\0\3\3a\0b\0\120", "\5\0\5\1" FAIL5, NOT_TARGET),
	REFUSED(ALL, "\5\1\0\5\1\0\3\4\r\nab\0\120", "\5\0\5\1" FAIL5, NOT_TARGET),
	REFUSED(ALL, "\5\1\0\5\1\0\3\0120x7f000001\0\120", "\5\0\5\1" FAIL5, NOT_TARGET),
	REFUSED(ALL,
		"\5\1\0\5\1\0\3\5"
		"127.1\0\120",
		"\5\0\5\1" FAIL5, NOT_TARGET),
	REFUSED(ALL, "\5\1\0\5\1\0\3\11fe80::1%1\0\120", "\5\0\5\1" FAIL5, NOT_TARGET),
	REFUSED(ALL, "\5\1\0\5\1\0\1\300\0\2\1\0\0", "\5\0\5\1" FAIL5,
		"the port of the target is not one from 1 to 65535"),
	REFUSED(PROXY_REQUEST_HTTP, "\5", "", "the protocol is not among those of --proxy-server"),
	/* HTTP. */
	TARGET(ALL, "CONNECT a:1 HTTP/1.0\r\n\r\n", "a", 1, ""),
	TARGET(ALL, CONNECT "\r\n", "a.test", 80, ""),
	TARGET(ALL, "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nhOST:\r\n\r\n", "2001:db8::1", 443, ""),
	TARGET(ALL, "CONNECT 192.0.2.1:65535 HTTP/1.1\r\nA:\t\x80 b\t\r\nHost: x\r\n\r\n",
		"192.0.2.1", 65535, ""),
	/* RFC 7617, section 2. */
	TARGET(ALL | LOGIN,
		CONNECT "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n", "a.test",
		80, ""),
	TARGET(ALL | LOGIN, CONNECT "proxy-authorization:\tbASIC  aXQ6 \r\n\r\n", "a.test", 80, ""),
	/* It is not asked for. */
	TARGET(ALL, CONNECT "Proxy-Authorization: Basic eDp5\r\n\r\n", "a.test", 80, ""),
	LOGGED(CONNECT "\r\n", "407", "a user and password are required"),
	LOGGED(CONNECT "Proxy-Authorization: Digest x\r\n\r\n", "407",
		"a user and password are required"),
	LOGGED(CONNECT "Proxy-Authorization: Basic eDp5\r\n\r\n", "407", "wrong user or password"),
	LOGGED(CONNECT "Proxy-Authorization: Basic QWxhZGRpbg==\r\n\r\n", "407",
		"wrong user or password"),
	LOGGED(CONNECT "Proxy-Authorization: Basic aXQ\r\n\r\n", "407", "wrong user or password"),
	LOGGED(CONNECT "Proxy-Authorization: Basic \xff\xff\xff\xff\r\n\r\n", "407",
		"wrong user or password"),
	LOGGED(CONNECT "Proxy-Authorization: Basic aXQ6\r\nProxy-Authorization: Basic aXQ6\r\n",
		"400", "a header field is there twice"),
	HTTP("GET http://a.test/ HTTP/1.1\r\n", "501",
		"only the method CONNECT is supported; with curl: --proxytunnel"),
	HTTP("OPTIONS * HTTP/1.0\r\n", "501",
		"only the method CONNECT is supported; with curl: --proxytunnel"),
	HTTP("connect a:1 HTTP/1.1\r\n", "501",
		"only the method CONNECT is supported; with curl: --proxytunnel"),
	HTTP("PRI * HTTP/2.0\r\n", "505", "only HTTP/1.0 and HTTP/1.1 are supported"),
	HTTP("CONNECT a:1 HTTP/1.2\r\n", "505", "only HTTP/1.0 and HTTP/1.1 are supported"),
	HTTP("CONNECT a:1 HTTP/1.10\r\n", "505", "only HTTP/1.0 and HTTP/1.1 are supported"),
	HTTP("CONNECT a:1 http/1.1\r\n", "400", LINE),
	HTTP("CONNECT a:1\r\n", "400", LINE),
	HTTP("CONNECT  a:1 HTTP/1.1\r\n", "400", LINE),
	HTTP("CONNECT a:1  HTTP/1.1\r\n", "400", LINE),
	HTTP("CONNECT a:1 HTTP/1.1 \r\n", "400", LINE),
	HTTP("CONNECT a:1 x HTTP/1.1\r\n", "400", LINE),
	HTTP("CONNECT\ta:1 HTTP/1.1\r\n", "400", CONTROL),
	HTTP("CON(ECT a:1 HTTP/1.1\r\n", "400", LINE),
	HTTP("CONNECT a:1 HTTP/1.1\n\r\n", "400", ENDING),
	HTTP("CONNECT a:1 HTTP/1.1\r\r\n", "400", ENDING),
	HTTP("CONNECT a:1\rX HTTP/1.1\r\n", "400", ENDING),
	HTTP(CONNECT "\n", "400", ENDING),
	HTTP(CONNECT "A: b\n\r\n", "400", ENDING),
	HTTP("CONNECT a\0.b:1 HTTP/1.1\r\n", "400", CONTROL),
	HTTP("CONNECT \xc3\xa4:1 HTTP/1.1\r\n", "400", CONTROL),
	HTTP(CONNECT "A: \0\r\n", "400", CONTROL),
	HTTP(CONNECT "A: \33[31m\r\n", "400", CONTROL),
	HTTP(CONNECT "A: \177\r\n", "400", CONTROL),
	HTTP(CONNECT "A : b\r\n", "400", FIELD),
	HTTP(CONNECT " A: b\r\n", "400", FIELD),
	HTTP(CONNECT "\tb\r\n", "400", FIELD),
	HTTP(CONNECT ": b\r\n", "400", FIELD),
	HTTP(CONNECT "b\r\n", "400", FIELD),
	HTTP(CONNECT "\x80: b\r\n", "400", FIELD),
	HTTP(CONNECT "hOST: a.test\r\n", "400", "a header field is there twice"),
	HTTP(CONNECT "Content-Length: 0\r\n", "400", "a request with CONNECT has no content"),
	HTTP(CONNECT "content-length:5\r\n", "400", "a request with CONNECT has no content"),
	HTTP(CONNECT "Transfer-Encoding: chunked\r\n", "400",
		"a request with CONNECT has no content"),
	HTTP("CONNECT a:1 HTTP/1.1\r\n\r\n", "400", "the field Host is missing"),
	HTTP("CONNECT http://a:80/ HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT http://a:80 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT /a HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT * HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a: HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT :1 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a:0 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a:080 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a:+1 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a:http HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a:65536 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a:4294967297 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT ::1:80 HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT [::1] HTTP/1.1\r\n", "400", AUTHORITY),
	HTTP("CONNECT a,b:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT u@a:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT a/b:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT [a]:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT %61:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT 2130706433:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT 0x7f.0.0.1:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT 0177.0.0.1:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT 127.1:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	HTTP("CONNECT 0:80 HTTP/1.1\r\n", "400", NOT_TARGET),
	REFUSED(PROXY_REQUEST_SOCKS5, "G", "", "the protocol is not among those of --proxy-server"),
	REFUSED(ALL, "\26", "", "it is neither HTTP nor SOCKS"),
	REFUSED(ALL, " ", "", "it is neither HTTP nor SOCKS"),
	REFUSED(ALL, "\r", "", "it is neither HTTP nor SOCKS"),
};
#define PROXY_REQUEST_CASES (sizeof proxy_request_cases / sizeof proxy_request_cases[0])

static void
proxy_request_case_start(struct proxy_request *request, unsigned rules)
{
	static struct proxy_user list[] = { { "me", "secret" }, { "it", "" },
		{ "Aladdin", "open sesame" } };
	static const struct proxy_users users = { .list = list, .count = 3 };
	const struct proxy_request_rules given = { .protocols = rules & ALL,
		.numeric = (rules & NUMERIC) != 0,
		.datagrams = (rules & DATAGRAMS) != 0,
		.users = (rules & LOGIN) != 0 ? &users : NULL };
	proxy_request_start(request, &given);
}

/* Feeds up to n bytes in pieces of at most `piece`; returns how many were taken. */
static size_t
proxy_request_case_feed(struct proxy_request *request, const unsigned char *bytes, size_t n,
	size_t piece, enum proxy_request_result *result)
{
	size_t taken = 0;
	*result = PROXY_REQUEST_MORE;
	while (*result == PROXY_REQUEST_MORE && taken < n) {
		size_t part = request->wants < piece ? request->wants : piece;
		part = part < n - taken ? part : n - taken;
		CHECK(part > 0);
		if (part == 0)
			break;
		*result = proxy_request_take(request, bytes + taken, part);
		taken += part;
	}
	return taken;
}

static void
proxy_request_test_case(const struct proxy_request_case *row)
{
	static const size_t pieces[] = { 1, 2, 3, 1000 };
	static struct proxy_request request;
	enum proxy_request_result result;
	unsigned char more[400];
	memset(more, 'X', sizeof more);
	memcpy(more, row->in, row->in_length);
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		proxy_request_case_start(&request, row->rules);
		size_t taken =
			proxy_request_case_feed(&request, more, sizeof more, pieces[i], &result);
		CHECK(row->host == NULL || taken == row->in_length);
		CHECK(result == (row->host != NULL ? PROXY_REQUEST_TARGET : PROXY_REQUEST_REFUSED));
		CHECK(row->words == NULL
				? request.words == NULL
				: request.words != NULL && strcmp(request.words, row->words) == 0);
		if (row->host != NULL)
			CHECK(strcmp(request.target.host, row->host) == 0 &&
				request.target.port == row->port);
		CHECK(request.out_length >= row->out_length &&
			memcmp(request.out, row->out, row->out_length) == 0);
		CHECK(request.out_length == row->out_length || request.out[0] == 'H');
	}
	for (size_t cut = 0; cut < row->in_length && row->host != NULL; cut++) {
		proxy_request_case_start(&request, row->rules);
		(void)proxy_request_case_feed(&request, row->in, cut, 1000, &result);
		CHECK(result == PROXY_REQUEST_MORE && request.wants > 0);
		CHECK(request.wants <= row->in_length - cut);
	}
}

/* UDP ASSOCIATE, at every cut: the address of the request is not used, and need not be valid. */
static void
proxy_request_test_associate(void)
{
	static const struct {
		const unsigned char *in;
		size_t in_length;
		uint16_t port;
	} rows[] = { { BYTES("\5\1\0\5\3\0\1\0\0\0\0\0\0"), 0 },
		{ BYTES("\5\1\0\5\3\0\1\300\0\2\1\1\2"), 258 },
		{ BYTES("\5\1\0\5\3\0\3\0\0\0"), 0 }, { BYTES("\5\1\0\5\3\0\3\2\0%\0\7"), 7 },
		{ BYTES("\5\1\0\5\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377"), 65535 } };
	static const struct address four = { .v4 = { .sin_family = AF_INET }, .length = 16 };
	static const struct address six = { .v6 = { .sin6_family = AF_INET6 }, .length = 28 };
	static struct proxy_request request;
	enum proxy_request_result result;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t cut = 0; cut < rows[i].in_length; cut++) {
			proxy_request_case_start(&request, ALL | DATAGRAMS);
			(void)proxy_request_case_feed(&request, rows[i].in, cut, 3, &result);
			CHECK(result == PROXY_REQUEST_MORE && !request.associates &&
				request.wants <= rows[i].in_length - cut);
		}
		proxy_request_case_start(&request, ALL | DATAGRAMS);
		CHECK(proxy_request_case_feed(&request, rows[i].in, rows[i].in_length, 1,
			      &result) == rows[i].in_length);
		CHECK(result == PROXY_REQUEST_ASSOCIATE && request.associates &&
			request.client_port == rows[i].port && request.out_length == 2);
		request.bound = i % 2 == 0 ? four : six;
		address_set_port(&request.bound, 513);
		proxy_request_answer(&request, PROXY_REQUEST_CONNECTED);
		CHECK(request.out_length == (i % 2 == 0 ? 12 : 24) &&
			memcmp(request.out + 2, i % 2 == 0 ? "\5\0\0\1" : "\5\0\0\4", 4) == 0 &&
			memcmp(request.out + request.out_length - 2, "\2\1", 2) == 0);
	}
}

/* Feeds a text again and again; returns the number of times. */
static unsigned
proxy_request_test_flood(const char *head, const char *text)
{
	static struct proxy_request request;
	enum proxy_request_result result = PROXY_REQUEST_MORE;
	unsigned times = 0;
	proxy_request_case_start(&request, ALL);
	for (; *head != '\0'; head++)
		result = proxy_request_take(&request, (const unsigned char *)head, 1);
	for (; result == PROXY_REQUEST_MORE; times++)
		for (const char *at = text; *at != '\0' && result == PROXY_REQUEST_MORE; at++)
			result = proxy_request_take(&request, (const unsigned char *)at, 1);
	CHECK(result == PROXY_REQUEST_REFUSED && request.words != NULL);
	return times;
}

/* Each protocol's answers for all outcomes. */
static void
proxy_request_test_answers(void)
{
	static const unsigned char socks5[] = { 0, 2, 4, 5, 3, 4, 6, 1 };
	static const char *const http[] = { "200", "403", "502", "502", "502", "502", "504",
		"502" };
	static const struct {
		const unsigned char *in;
		size_t in_length;
	} rows[] = { { BYTES("\4\1\0\120\300\0\2\1\0") }, { BYTES("\5\1\0\5\1\0\3\1a\0\120") },
		{ BYTES(CONNECT "\r\n") } };
	static struct proxy_request request;
	for (unsigned i = 0; i < PROXY_REQUEST_OUTCOMES; i++)
		for (size_t j = 0; j < 3; j++) {
			enum proxy_request_result result;
			proxy_request_case_start(&request, ALL);
			(void)proxy_request_case_feed(
				&request, rows[j].in, rows[j].in_length, 1000, &result);
			CHECK(result == PROXY_REQUEST_TARGET);
			size_t before = request.out_length;
			const unsigned char *out = request.out + before;
			proxy_request_answer(&request, (enum proxy_request_outcome)i);
			size_t length = request.out_length - before;
			if (j == 0)
				CHECK(length == 8 && out[0] == 0 && out[1] == (i == 0 ? 90 : 91));
			else if (j == 1)
				CHECK(length == 10 && out[0] == 5 && out[1] == socks5[i]);
			else
				CHECK(length > 16 && memcmp(out + 9, http[i], 3) == 0 &&
					(i > 0 || memcmp(out + length - 4, "\r\n\r\n", 4) == 0));
			CHECK(proxy_request_words((enum proxy_request_outcome)i) != NULL);
		}
}

int
main(void)
{
	for (size_t i = 0; i < PROXY_REQUEST_CASES; i++) {
		unsigned long before = check_failed;
		proxy_request_test_case(&proxy_request_cases[i]);
		if (check_failed > before)
			(void)fprintf(stderr, "case %zu: %s\n", i, proxy_request_cases[i].in);
	}
	proxy_request_test_answers();
	proxy_request_test_associate();
	/* 100 fields, 16 KiB, 1024 bytes of a line, 255 of a user. */
	CHECK(proxy_request_test_flood("CONNECT a:1 HTTP/1.1\r\n", "A: b\r\n") == 100);
	CHECK(proxy_request_test_flood("CONNECT a:1 HTTP/1.1\r\nA: ", "b") == 1022);
	CHECK(proxy_request_test_flood("CONNECT a", "b") == 1016);
	static char line[1010];
	memset(line, 'b', sizeof line - 1);
	memcpy(line, "A:", 2);
	memcpy(line + sizeof line - 3, "\r\n", 2);
	CHECK(proxy_request_test_flood("CONNECT a:1 HTTP/1.1\r\n", line) == 17);
	CHECK(proxy_request_test_flood("\4\1\1\1\1\1\1\1", "b") == 256);
	CHECK(proxy_request_test_flood("\4\1\1\1", "\1") > 0);
	return check_verdict("proxy_request");
}
