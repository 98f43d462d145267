/* STARTTLS: the conversations of the standards at every cut; no byte behind an answer is wanted,
 * and a part of one is never success. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "handshake_feed.h"
#include "net/starttls.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

struct starttls_case {
	const char *protocol;
	const unsigned char *out; /* all that is sent */
	size_t out_length;
	const unsigned char *in; /* all answers */
	size_t in_length;
	enum handshake_result result;
	unsigned code;
};

#define STREAM(name) \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:client' " \
	"xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='" name "'>"
#define TLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define HEADER \
	"<?xml version=\"1.0\"?>\n<stream:stream from='im.example.com' " \
	"id='t7AMCin9zjMNwQKDnplntZPIDEI=' " \
	"to='juliet@im.example.com' version='1.0' xml:lang='en' xmlns='jabber:client' " \
	"xmlns:stream='http://etherx.jabber.org/streams'>"
#define FEATURES \
	"<stream:features>\n <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>\n  <required/>\n" \
	" </starttls>\n</stream:features>"
#define LDAP \
	"0\35\2\1\1w\30\200\26" \
	"1.3.6.1.4.1.1466.20037"
#define MYSQL "\40\0\0\1\1\212\0\0\0\0\0\1\41\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
/* The version, the thread, 8 bytes of data and a zero, the capabilities. */
#define GREETING(low) "\n8.0.36\0\7\0\0\0saltsalt\0" low "\41\2\0\377\337\25\0\0\0"

static const struct starttls_case starttls_cases[] = {
	/* RFC 3207, 6. */
	{ "smtp", BYTES("EHLO localhost\r\nSTARTTLS\r\n"),
		BYTES("220 mail.imc.org SMTP service ready\r\n"
		      "250-mail.imc.org offers a warm hug of welcome\r\n"
		      "250-8BITMIME\r\n250-STARTTLS\r\n250 DSN\r\n220 Go ahead\r\n"),
		HANDSHAKE_DONE, 0 },
	{ "smtp", BYTES("EHLO localhost\r\nSTARTTLS\r\n"),
		BYTES("220-one\r\n220 two\r\n250 x\r\n454 TLS not available due to temporary "
		      "reason\r\n"),
		HANDSHAKE_REFUSED, 0 },
	{ "smtp", BYTES(""), BYTES("554-no\r\n"), HANDSHAKE_REFUSED, 0 },
	{ "smtp", BYTES(""), BYTES("SSH-2.0-OpenSSH\r\n"), HANDSHAKE_REFUSED, 0 },
	{ "smtp", BYTES(""), BYTES("2200 is no code\n"), HANDSHAKE_REFUSED, 0 },
	{ "smtp", BYTES(""), BYTES("\n"), HANDSHAKE_REFUSED, 0 },
	/* RFC 2595, 3.1 and 4. */
	{ "imap", BYTES("a STARTTLS\r\n"),
		BYTES("* OK [CAPABILITY IMAP4rev1] ready\r\n* CAPABILITY IMAP4rev1\r\n"
		      "a OK Begin TLS negotiation now\r\n"),
		HANDSHAKE_DONE, 0 },
	{ "imap", BYTES("a STARTTLS\r\n"), BYTES("* ok\r\na BAD unknown command\r\n"),
		HANDSHAKE_REFUSED, 0 },
	{ "imap", BYTES(""), BYTES("* PREAUTH welcome\r\n"), HANDSHAKE_REFUSED, 0 },
	{ "imap", BYTES(""), BYTES("* BYE later\r\n"), HANDSHAKE_REFUSED, 0 },
	{ "pop3", BYTES("STLS\r\n"), BYTES("+OK POP3\r\n+OK Begin TLS negotiation\r\n"),
		HANDSHAKE_DONE, 0 },
	{ "pop3", BYTES("STLS\r\n"), BYTES("+OK\n-ERR Command not permitted\r\n"),
		HANDSHAKE_REFUSED, 0 },
	/* RFC 4217; a reply with lines of any kind between the first and the last (RFC 959, 4.2).
	 */
	{ "ftp", BYTES("AUTH TLS\r\n"),
		BYTES("220-Welcome\r\n 220 is no end\r\n2200 neither\r\n234 nor this\r\n220 end\r\n"
		      "234 Proceed with negotiation.\r\n"),
		HANDSHAKE_DONE, 0 },
	{ "ftp", BYTES("AUTH TLS\r\n"), BYTES("220 x\r\n534 no\r\n"), HANDSHAKE_REFUSED, 0 },
	/* RFC 4642, 2.2.2. */
	{ "nntp", BYTES("STARTTLS\r\n"), BYTES("200 x\r\n382 Continue with TLS negotiation\r\n"),
		HANDSHAKE_DONE, 0 },
	{ "nntp", BYTES("STARTTLS\r\n"), BYTES("201 x\r\n580 Can not initiate TLS negotiation\r\n"),
		HANDSHAKE_REFUSED, 0 },
	{ "nntp", BYTES(""), BYTES("202 x\r\n"), HANDSHAKE_REFUSED, 0 },
	/* RFC 5804, 1.8 and 2.2. */
	{ "sieve", BYTES("STARTTLS\r\n"),
		BYTES("\"IMPlemENTATION\" \"Example1 ManageSieved v001\"\r\n"
		      "\"SASl\" \"DIGEST-MD5 GSSAPI\"\r\n\"SIeVE\" \"fileinto vacation\"\r\n"
		      "\"StaRTTLS\"\r\n\"VERSION\" \"1.0\"\r\nOK\r\nOK \"Begin TLS\"\r\n"),
		HANDSHAKE_DONE, 0 },
	{ "sieve", BYTES("STARTTLS\r\n"), BYTES("ok\r\nNO \"no\"\r\n"), HANDSHAKE_REFUSED, 0 },
	{ "sieve", BYTES(""), BYTES("BYE\r\n"), HANDSHAKE_REFUSED, 0 },
	/* RFC 6120, 5.4 and 9.1. */
	{ "xmpp", BYTES(STREAM("name") TLS),
		BYTES(HEADER FEATURES "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
		HANDSHAKE_DONE, 0 },
	{ "xmpp", BYTES(STREAM("name") TLS),
		BYTES("<stream:stream a='>' b=\"'>\">" FEATURES "\n<proceed >\n</proceed>"),
		HANDSHAKE_DONE, 0 },
	{ "xmpp", BYTES(STREAM("name") TLS),
		BYTES(HEADER FEATURES "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
		HANDSHAKE_REFUSED, 0 },
	{ "xmpp", BYTES(STREAM("name")),
		BYTES(HEADER "<stream:features><mechanisms/></stream:features>"), HANDSHAKE_REFUSED,
		0 },
	{ "xmpp", BYTES(STREAM("name")), BYTES(HEADER "<stream:features/>"), HANDSHAKE_REFUSED, 0 },
	{ "xmpp", BYTES(STREAM("name")), BYTES(HEADER "<stream:error>\n<host-unknown/>"),
		HANDSHAKE_REFUSED, 0 },
	{ "xmpp", BYTES(STREAM("name")), BYTES(HEADER "</stream:stream>"), HANDSHAKE_REFUSED, 0 },
	{ "xmpp", BYTES(STREAM("name")), BYTES("H"), HANDSHAKE_MALFORMED, 0 },
	/* RFC 4511, 4.14: message 1, success; also with long lengths. */
	{ "ldap", BYTES(LDAP), BYTES("0\14\2\1\1x\7\n\1\0\4\0\4\0"), HANDSHAKE_DONE, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\204\0\0\0\20\2\1\1x\204\0\0\0\7\n\1\0\4\0\4\0"),
		HANDSHAKE_DONE, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\202\0\16\2\1\1x\201\10\n\1\0\4\0\4\1x"), HANDSHAKE_DONE,
		0 },
	{ "ldap", BYTES(LDAP), BYTES("0\15\2\1\1x\10\n\1\2\4\0\4\1x"), HANDSHAKE_REFUSED, 2 },
	{ "ldap", BYTES(LDAP), BYTES("0\14\2\1\0x\7\n\1\64\4\0\4\0"), HANDSHAKE_REFUSED, 52 },
	{ "ldap", BYTES(LDAP), BYTES("0\14\2\1\0x\7\n\1\0\4\0\4\0"), HANDSHAKE_REFUSED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\14\2\1\1a\7\n\1\0\4\0\4\0"), HANDSHAKE_MALFORMED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\3\2\1\1"), HANDSHAKE_MALFORMED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\0"), HANDSHAKE_MALFORMED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\205"), HANDSHAKE_MALFORMED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\200"), HANDSHAKE_MALFORMED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("HT"), HANDSHAKE_MALFORMED, 0 },
	{ "ldap", BYTES(LDAP), BYTES("0\203\1\0\0"), HANDSHAKE_MALFORMED, 0 },
	{ "postgres", BYTES("\0\0\0\10\4\322\26\57"), BYTES("S"), HANDSHAKE_DONE, 0 },
	{ "postgres", BYTES("\0\0\0\10\4\322\26\57"), BYTES("N"), HANDSHAKE_REFUSED, 0 },
	{ "postgres", BYTES("\0\0\0\10\4\322\26\57"), BYTES("E\0\0\0\13SFATAL\0"),
		HANDSHAKE_REFUSED, 0 },
	{ "postgres", BYTES("\0\0\0\10\4\322\26\57"), BYTES("E\0\0\0\4"), HANDSHAKE_REFUSED, 0 },
	/* Before protocol 3.0. */
	{ "postgres", BYTES("\0\0\0\10\4\322\26\57"), BYTES("Eunsu"), HANDSHAKE_REFUSED, 0 },
	{ "postgres", BYTES("\0\0\0\10\4\322\26\57"), BYTES("H"), HANDSHAKE_MALFORMED, 0 },
	{ "mysql", BYTES(MYSQL), BYTES("\40\0\0\0" GREETING("\377\377")), HANDSHAKE_DONE, 0 },
	{ "mysql", BYTES(""), BYTES("\40\0\0\0" GREETING("\377\367")), HANDSHAKE_REFUSED, 0 },
	{ "mysql", BYTES(""), BYTES("\7\0\0\0\377\152\4Host"), HANDSHAKE_REFUSED, 1130 },
	{ "mysql", BYTES(""), BYTES("\7\0\0\0\n8.0.36"), HANDSHAKE_MALFORMED, 0 },
	{ "mysql", BYTES(""), BYTES("\1\0\0\0\11"), HANDSHAKE_MALFORMED, 0 },
	{ "mysql", BYTES(""), BYTES("\0\0\0\0"), HANDSHAKE_MALFORMED, 0 },
	{ "mysql", BYTES(""), BYTES("\1\0\1\0"), HANDSHAKE_MALFORMED, 0 },
	{ "mysql", BYTES(""), BYTES("220 "), HANDSHAKE_MALFORMED, 0 },
};
#define STARTTLS_CASES (sizeof starttls_cases / sizeof starttls_cases[0])

static const struct handshake_request starttls_request = { .host = "name" };

static void
starttls_test_case(const struct starttls_case *row)
{
	static struct handshake handshake;
	const struct handshake_protocol *protocol = starttls_find(row->protocol);
	enum handshake_result result;
	CHECK(protocol != NULL && strcmp(starttls_name(protocol), row->protocol) == 0);
	for (size_t piece = 1; protocol != NULL && piece <= row->in_length; piece++) {
		CHECK(handshake_start(&handshake, protocol, &starttls_request));
		CHECK(handshake_feed(&handshake, row->in, row->in_length, piece, &result) ==
			row->in_length);
		CHECK(result == row->result && handshake.code == row->code);
		CHECK((handshake.words == NULL) == (result == HANDSHAKE_DONE));
		CHECK(handshake.out_length == row->out_length &&
			memcmp(handshake.out, row->out, row->out_length) == 0);
	}
	/* A part of the answers is no result. */
	for (size_t n = 0; protocol != NULL && n < row->in_length; n++) {
		CHECK(handshake_start(&handshake, protocol, &starttls_request));
		CHECK(handshake_feed(&handshake, row->in, n, SIZE_MAX, &result) == n);
		CHECK(result == HANDSHAKE_MORE && handshake.wants > 0);
	}
}

/* What a server says of its refusal. */
static void
starttls_test_text(void)
{
	static struct handshake handshake;
	static const struct {
		const char *protocol;
		const unsigned char *in;
		size_t in_length;
		const char *text, *words;
	} rows[] = {
		{ "smtp", BYTES("220 x\r\n250 x\r\n454 4.7.0 no\r\n"), "454 4.7.0 no",
			"the server refused TLS" },
		{ "smtp", BYTES("554 no\r\n"), "554 no", "the server answered" },
		{ "sieve", BYTES("OK\r\nNO\r\n"), "NO", "the server refused TLS" },
		{ "xmpp", BYTES(HEADER "<stream:error><a/>"), "<a/>", "the server answered" },
		{ "xmpp", BYTES(HEADER FEATURES "<failure/>"), "<failure/>",
			"the server refused TLS" },
		{ "ldap", BYTES("0\17\2\1\1x\12\n\1\2\4\0\4\3why"), "why",
			"the server refused TLS: protocol error" },
		{ "ldap", BYTES("0\20\2\1\1x\13\n\1\64\4\1c\4\3why"), "why",
			"the server refused TLS: unavailable" },
		/* Lengths of more than there is. */
		{ "ldap", BYTES("0\17\2\1\1x\12\n\1\3\4\0\4\11why"), "why",
			"the server refused TLS" },
		{ "ldap", BYTES("0\17\2\1\1x\12\n\1\3\4\11\4\3why"), "", "the server refused TLS" },
		{ "ldap", BYTES("0\10\2\1\1x\3\n\1\3"), "", "the server refused TLS" },
		{ "postgres", BYTES("N"), "", "the server does not offer TLS" },
		{ "postgres", BYTES("E\0\0\0\24SFATAL\0Mmany\0C1\0"), "many",
			"the server refused the connection" },
		{ "postgres", BYTES("E\0\0\0\11Mmany"), "many",
			"the server refused the connection" },
		{ "postgres", BYTES("E\0\0\0\6\0M"), "", "the server refused the connection" },
		{ "mysql", BYTES("\7\0\0\0\377\152\4Host"), "Host",
			"the server refused the connection" },
		{ "mysql", BYTES("\15\0\0\0\377\152\4#08004Host"), "Host",
			"the server refused the connection" },
		{ "mysql", BYTES("\3\0\0\0\377\152\4"), "", "the server refused the connection" },
		{ "postgres", BYTES("\25"), "", STARTTLS_AT_ONCE },
		{ "ldap", BYTES("\25\3"), "", STARTTLS_AT_ONCE },
		{ "xmpp", BYTES("\25"), "", STARTTLS_AT_ONCE },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum handshake_result result;
		size_t length;
		CHECK(handshake_start(
			&handshake, starttls_find(rows[i].protocol), &starttls_request));
		(void)handshake_feed(&handshake, rows[i].in, rows[i].in_length, 1, &result);
		const char *text = starttls_answer(&handshake, &length);
		bool good = result != HANDSHAKE_MORE &&
			strcmp(handshake.words, rows[i].words) == 0 &&
			length == strlen(rows[i].text) && memcmp(text, rows[i].text, length) == 0;
		CHECK(good);
		if (!good)
			(void)fprintf(stderr, "text %zu: %.*s\n", i, (int)length, text);
	}
}

/* Feeds the start and then the same again and again; returns the bytes that were taken. */
static size_t
starttls_test_flood(const char *protocol, const char *start, const char *again)
{
	static struct handshake handshake;
	enum handshake_result result = HANDSHAKE_MORE;
	const char *at = start;
	CHECK(handshake_start(&handshake, starttls_find(protocol), &starttls_request));
	while (result == HANDSHAKE_MORE && handshake.taken < 100000) {
		at = *at == '\0' ? again : at;
		result = handshake_take(&handshake, (const unsigned char *)at++, 1);
	}
	CHECK(result == HANDSHAKE_MALFORMED && handshake.words != NULL);
	return handshake.taken;
}

static void
starttls_test_limits(void)
{
	CHECK(starttls_test_flood("smtp", "", "220-\n") == 101 * sizeof "220-");
	CHECK(starttls_test_flood("smtp", "", "x") == STARTTLS_BYTES_MAX);
	CHECK(starttls_test_flood("sieve", "", "\"\n") == 101 * sizeof "\"");
	CHECK(starttls_test_flood("xmpp", "<stream:stream>", " <a/>") <= STARTTLS_BYTES_MAX + 5);
	CHECK(starttls_test_flood("xmpp", "<stream:stream a='", "x") == STARTTLS_BYTES_MAX);
	CHECK(starttls_test_flood("xmpp", "<stream:stream>", " ") == STARTTLS_BYTES_MAX);
}

/* A long line and a long tag: how they begin and end is known. */
static void
starttls_test_long(void)
{
	static struct handshake handshake;
	enum handshake_result result = HANDSHAKE_MORE;
	size_t length;
	CHECK(handshake_start(&handshake, starttls_find("pop3"), &starttls_request));
	for (size_t i = 0; i < 1000; i++)
		result = handshake_take(
			&handshake, (const unsigned char *)(i < 4 ? &"-ERR"[i] : "x"), 1);
	CHECK(result == HANDSHAKE_MORE);
	CHECK(handshake_take(&handshake, (const unsigned char *)"\n", 1) == HANDSHAKE_REFUSED);
	const char *answer = starttls_answer(&handshake, &length);
	CHECK(length >= 255 && length <= HANDSHAKE_IN && memcmp(answer, "-ERRx", 5) == 0);
	CHECK(handshake_start(&handshake, starttls_find("xmpp"), &starttls_request));
	for (size_t i = 0; i < 1000; i++)
		(void)handshake_take(&handshake,
			(const unsigned char *)(i < 17 ? &"<stream:features "[i] : "x"), 1);
	CHECK(handshake_take(&handshake, (const unsigned char *)"/", 1) == HANDSHAKE_MORE);
	CHECK(handshake_take(&handshake, (const unsigned char *)">", 1) == HANDSHAKE_REFUSED);
}

/* A name cannot end the attribute that it is put into. */
static void
starttls_test_names(void)
{
	static struct handshake handshake;
	static const char *const names[] = { "a'b", "a b", "a<b", "a&b", "a\nb", "a\"b", "a>b",
		NULL };
	struct handshake_request request;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		request = (struct handshake_request){ .host = names[i] };
		CHECK(!handshake_start(&handshake, starttls_find("xmpp"), &request));
		CHECK(handshake.words != NULL && handshake.out_length == 0);
	}
	CHECK(starttls_find("http") == NULL);
}

int
main(void)
{
	for (size_t i = 0; i < STARTTLS_CASES; i++) {
		unsigned long before = check_failed;
		starttls_test_case(&starttls_cases[i]);
		if (check_failed > before)
			(void)fprintf(stderr, "case %zu\n", i);
	}
	starttls_test_text();
	starttls_test_limits();
	starttls_test_long();
	starttls_test_names();
	return check_verdict("starttls");
}
