/* Handshakes with proxies: the bytes of RFC 1928, RFC 1929, SOCKS4A and RFC 9110, at every cut; no
 * byte behind an answer is wanted, and a part of one is never success. */
#include <string.h>

#include <arpa/inet.h>

#include "check.h"
#include "handshake_feed.h"
#include "net/http_proxy.h"
#include "net/socks.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

struct handshake_case {
	const struct handshake_protocol *protocol;
	const char *host, *address, *user, *password;
	const unsigned char *out;
	size_t out_length;
	const unsigned char *in; /* all answers */
	size_t in_length;
	enum handshake_result result;
	unsigned code;
};

#define SOCKS4 &socks_v4_protocol
#define SOCKS5 &socks_v5_protocol
#define HTTP &http_proxy_protocol
#define REQUEST(host) "CONNECT " host ":80 HTTP/1.1\r\nHost: " host ":80\r\n"
#define NAMED "\5\1\0\3\4name\0\120"

static const struct handshake_case handshake_cases[] = {
	{ SOCKS4, "x", "192.0.2.1", NULL, NULL, BYTES("\4\1\0\120\300\0\2\1\0"),
		BYTES("\0\132\0\0\0\0\0\0"), HANDSHAKE_DONE, 0 },
	{ SOCKS4, "name", NULL, "me", NULL, BYTES("\4\1\0\120\0\0\0\1me\0name\0"),
		BYTES("\4\132abcdef"), HANDSHAKE_DONE, 0 },
	{ SOCKS4, "name", NULL, NULL, NULL, BYTES("\4\1\0\120\0\0\0\1\0name\0"),
		BYTES("\0\133\0\0\0\0\0\0"), HANDSHAKE_REFUSED, 91 },
	{ SOCKS4, "name", NULL, NULL, NULL, BYTES("\4\1\0\120\0\0\0\1\0name\0"),
		BYTES("\0\0\0\0\0\0\0\0"), HANDSHAKE_MALFORMED, 0 },
	{ SOCKS4, "name", NULL, NULL, NULL, BYTES("\4\1\0\120\0\0\0\1\0name\0"), BYTES("H"),
		HANDSHAKE_MALFORMED, 0 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED),
		BYTES("\5\0\5\0\0\1\1\2\3\4\5\6"), HANDSHAKE_DONE, 0 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED),
		BYTES("\5\0\5\0\0\4"
		      "0123456789abcdef"
		      "\0\0"),
		HANDSHAKE_DONE, 0 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\0\0\3\3abc\0\0"),
		HANDSHAKE_DONE, 0 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\0\0\3\0\0\0"),
		HANDSHAKE_DONE, 0 },
	{ SOCKS5, "x", "192.0.2.1", NULL, NULL, BYTES("\5\1\0\5\1\0\1\300\0\2\1\0\120"),
		BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"), HANDSHAKE_DONE, 0 },
	{ SOCKS5, "x", "2001:db8::1", NULL, NULL,
		BYTES("\5\1\0\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\120"),
		BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"), HANDSHAKE_DONE, 0 },
	{ SOCKS5, "name", NULL, "me", "secret", BYTES("\5\2\0\2\1\2me\6secret" NAMED),
		BYTES("\5\2\1\0\5\0\0\1\0\0\0\0\0\0"), HANDSHAKE_DONE, 0 },
	/* Credentials are not sent to a proxy that does not want them. */
	{ SOCKS5, "name", NULL, "me", "secret", BYTES("\5\2\0\2" NAMED),
		BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"), HANDSHAKE_DONE, 0 },
	{ SOCKS5, "name", NULL, "me", "no", BYTES("\5\2\0\2\1\2me\2no"), BYTES("\5\2\1\1"),
		HANDSHAKE_REFUSED, 0 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0"), BYTES("\5\377"), HANDSHAKE_REFUSED,
		0 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0"), BYTES("\5\2"), HANDSHAKE_MALFORMED,
		2 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0"), BYTES("HT"), HANDSHAKE_MALFORMED, 0 },
	/* After a refusal no address is read: some proxies send none. */
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\1"),
		HANDSHAKE_REFUSED, 1 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\4"),
		HANDSHAKE_TARGET, 4 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\5"),
		HANDSHAKE_TARGET, 5 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\11"),
		HANDSHAKE_MALFORMED, 9 },
	{ SOCKS5, "name", NULL, NULL, NULL, BYTES("\5\1\0" NAMED), BYTES("\5\0\5\0\0\2x"),
		HANDSHAKE_MALFORMED, 2 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 200 OK\r\n\r\n"), HANDSHAKE_DONE, 200 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"), BYTES("HTTP/1.0 200\n\n"),
		HANDSHAKE_DONE, 200 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 204 \r\nA: b\r\nContent-Length: 5\r\nC:\n\r\n"), HANDSHAKE_DONE,
		204 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
		      "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
		HANDSHAKE_DONE, 200 },
	{ HTTP, "x", "2001:db8::1", NULL, NULL, BYTES(REQUEST("[2001:db8::1]") "\r\n"),
		BYTES("HTTP/1.1 200 OK\r\n\r\n"), HANDSHAKE_DONE, 200 },
	/* RFC 7617, section 2. */
	{ HTTP, "name", NULL, "Aladdin", "open sesame",
		BYTES(REQUEST(
			"name") "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"),
		BYTES("HTTP/1.1 200 OK\r\n\r\n"), HANDSHAKE_DONE, 200 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n"), HANDSHAKE_REFUSED,
		407 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 502 x\r\n\r\n"), HANDSHAKE_TARGET, 502 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 101 x\r\n\r\n"), HANDSHAKE_REFUSED, 101 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"),
		BYTES("HTTP/1.1 777 x\r\n\r\n"), HANDSHAKE_REFUSED, 777 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"), BYTES("\5"),
		HANDSHAKE_MALFORMED, 0 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"), BYTES("HTTP/2.0 200 "),
		HANDSHAKE_MALFORMED, 0 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"), BYTES("HTTP/1.1 2000"),
		HANDSHAKE_MALFORMED, 200 },
	{ HTTP, "name", NULL, NULL, NULL, BYTES(REQUEST("name") "\r\n"), BYTES("HTTP/1.1  200"),
		HANDSHAKE_MALFORMED, 0 },
};
#define HANDSHAKE_CASES (sizeof handshake_cases / sizeof handshake_cases[0])

static bool
handshake_case_start(struct handshake *handshake, const struct handshake_case *row)
{
	static struct address address;
	struct handshake_request request = {
		.host = row->host, .port = 80, .user = row->user, .password = row->password
	};
	if (row->address != NULL) {
		request.address = &address;
		memset(&address, 0, sizeof address);
		if (inet_pton(AF_INET, row->address, &address.v4.sin_addr) == 1)
			address.any.sa_family = AF_INET;
		else if (inet_pton(AF_INET6, row->address, &address.v6.sin6_addr) == 1)
			address.any.sa_family = AF_INET6;
	}
	return handshake_start(handshake, row->protocol, &request);
}

static void
handshake_test_case(const struct handshake_case *row)
{
	static struct handshake handshake;
	enum handshake_result result;
	static const size_t pieces[] = { 1, 2, 3, 1000 };
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		CHECK(handshake_case_start(&handshake, row));
		size_t taken =
			handshake_feed(&handshake, row->in, row->in_length, pieces[i], &result);
		CHECK(taken == row->in_length);
		CHECK(result == row->result);
		CHECK(handshake.code == row->code || result == HANDSHAKE_MALFORMED);
		CHECK((handshake.words == NULL) == (result == HANDSHAKE_DONE));
		CHECK(handshake.out_length == row->out_length &&
			memcmp(handshake.out, row->out, row->out_length) == 0);
	}
	for (size_t cut = 0; cut < row->in_length; cut++) {
		CHECK(handshake_case_start(&handshake, row));
		(void)handshake_feed(&handshake, row->in, cut, 1000, &result);
		CHECK(result == HANDSHAKE_MORE && handshake.wants > 0);
	}
}

/* Feeds a text again and again; returns the number of times. */
static unsigned
handshake_test_flood(const char *head, const char *text)
{
	static struct handshake handshake;
	const struct handshake_case row = { .protocol = HTTP, .host = "x" };
	enum handshake_result result = HANDSHAKE_MORE;
	unsigned times = 0;
	CHECK(handshake_case_start(&handshake, &row));
	for (; *head != '\0'; head++)
		result = handshake_take(&handshake, (const unsigned char *)head, 1);
	for (; result == HANDSHAKE_MORE; times++)
		for (const char *at = text; *at != '\0' && result == HANDSHAKE_MORE; at++)
			result = handshake_take(&handshake, (const unsigned char *)at, 1);
	CHECK(result == HANDSHAKE_MALFORMED && handshake.words != NULL);
	return times;
}

static void
handshake_test_limits(void)
{
	static struct handshake handshake;
	char name[400];
	struct handshake_request request = { .host = name, .port = 1 };
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	CHECK(handshake_start(&handshake, SOCKS5, &request));
	CHECK(handshake_take(&handshake, (const unsigned char *)"\5\0", 2) == HANDSHAKE_REFUSED);
	request.host = "n";
	request.user = request.password = name;
	CHECK(!handshake_start(&handshake, SOCKS4, &request) && handshake.words != NULL);
	CHECK(!handshake_start(&handshake, HTTP, &request) && handshake.words != NULL);
	CHECK(handshake_start(&handshake, SOCKS5, &request));
	CHECK(handshake_take(&handshake, (const unsigned char *)"\5\2", 2) == HANDSHAKE_REFUSED);
	const struct handshake_case six = { .protocol = SOCKS4, .host = "x", .address = "::1" };
	CHECK(!handshake_case_start(&handshake, &six) && handshake.words != NULL);
	/* 100 lines, 16 KiB. */
	CHECK(handshake_test_flood("HTTP/1.1 200 OK\r\n", "A: b\r\n") == 100);
	CHECK(handshake_test_flood("HTTP/1.1 200 OK\r\nA: ", "b") <= 16 * 1024);
	CHECK(handshake_test_flood("", "HTTP/1.1 100 x\r\n\r\n") == 51);
}

/* UDP ASSOCIATE: the request has no address, and the proxy's is read, at every cut. */
static void
handshake_test_datagrams(void)
{
	static const struct {
		const unsigned char *in;
		size_t in_length;
		const char *bound; /* NULL: not known */
	} rows[] = { { BYTES("\5\0\5\0\0\1\300\0\2\1\1\2"), "192.0.2.1:258" },
		{ BYTES("\5\0\5\0\0\1\0\0\0\0\377\377"), "0.0.0.0:65535" },
		{ BYTES("\5\0\5\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\2"),
			"[2001:db8::1]:258" },
		{ BYTES("\5\0\5\0\0\1\300\0\2\1\0\0"), NULL },
		{ BYTES("\5\0\5\0\0\3\3abc\1\2"), NULL }, { BYTES("\5\0\5\0\0\3\0\1\2"), NULL } };
	static const unsigned char asked[] = "\5\1\0\5\3\0\1\0\0\0\0\0\0";
	const struct handshake_request request = { .host = "name", .port = 80, .datagrams = true };
	struct handshake handshake;
	enum handshake_result result;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t cut = 0; cut < rows[i].in_length; cut++) {
			CHECK(handshake_start(&handshake, SOCKS5, &request));
			(void)handshake_feed(&handshake, rows[i].in, cut, 3, &result);
			CHECK(result == HANDSHAKE_MORE && handshake.bound.length == 0 &&
				handshake.wants <= rows[i].in_length - cut);
		}
		CHECK(handshake_start(&handshake, SOCKS5, &request));
		CHECK(handshake_feed(&handshake, rows[i].in, rows[i].in_length, 1, &result) ==
			rows[i].in_length);
		CHECK(result == HANDSHAKE_DONE && handshake.out_length == sizeof asked - 1 &&
			memcmp(handshake.out, asked, sizeof asked - 1) == 0);
		char *bound = handshake.bound.length > 0 ? address_print(&handshake.bound) : NULL;
		CHECK((bound == NULL) == (rows[i].bound == NULL));
		CHECK(bound == NULL || strcmp(bound, rows[i].bound) == 0);
		free(bound);
	}
}

int
main(void)
{
	handshake_test_datagrams();
	for (size_t i = 0; i < HANDSHAKE_CASES; i++) {
		unsigned long before = check_failed;
		handshake_test_case(&handshake_cases[i]);
		if (check_failed > before)
			(void)fprintf(stderr, "case %zu\n", i);
	}
	handshake_test_limits();
	return check_verdict("handshake");
}
