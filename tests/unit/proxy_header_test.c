/* Headers of the PROXY protocol: the forms of its specification, at every cut, and what they are
 * not; no byte behind a header is wanted, and what is written is read. */
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/crc32c.h"
#include "check.h"
#include "net/proxy_reader.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1
#define SIX "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define SIGN "\r\n\r\n\0\r\nQUIT\n"
#define ADDRESSES "\300\0\2\1\306\63\144\2\317\154\1\273" /* 192.0.2.1:53100 198.51.100.2:443 */
#define TEN(text) text text text text text text text text text text
#define PATH(seven) seven TEN(TEN("\0")) "\0"

struct header_case {
	const unsigned char *bytes;
	size_t length;
	enum proxy_reader_result result;
	enum proxy_header_version versions;
	const char *source, *destination; /* as address_print has them; NULL: none */
};

#define DONE PROXY_READER_DONE
#define BAD PROXY_READER_MALFORMED
#define ANY PROXY_HEADER_ANY

static const struct header_case header_cases[] = {
	/* Version 1: the longest of each form, as in section 2.1. */
	{ BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), DONE, ANY,
		"255.255.255.255:65535", "255.255.255.255:65535" },
	{ BYTES("PROXY TCP6 " SIX " " SIX " 65535 65535\r\n"), DONE, PROXY_HEADER_V1,
		"[" SIX "]:65535", "[" SIX "]:65535" },
	{ BYTES("PROXY UNKNOWN " SIX " " SIX " 65535 65535\r\n"), DONE, ANY, NULL, NULL },
	{ BYTES("PROXY UNKNOWN\r\n"), DONE, ANY, NULL, NULL },
	{ BYTES("PROXY UNKNOWN \0\r!\r\n"), DONE, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), DONE, ANY,
		"192.168.0.1:56324", "192.168.0.11:443" },
	{ BYTES("PROXY TCP6 ::1 2001:DB8::a 1 80\r\n"), DONE, ANY, "[::1]:1", "[2001:db8::a]:80" },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 01 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 080\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 +1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 0x1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 80 \r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 80 9\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4  192.0.2.1 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY  TCP4 192.0.2.1 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY\tTCP4 192.0.2.1 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1\t192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.513 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 ::1 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP6 192.0.2.1 ::2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP6 fe80::1%lo ::2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY tcp4 192.0.2.1 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 1 80\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY UNKNOWNX\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 80\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 80\0\r\n"), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY UNKNOWN " SIX " " SIX " 65535 65535 \r"), BAD, ANY, NULL, NULL },
	{ BYTES("proxy "), BAD, ANY, NULL, NULL },
	{ BYTES("PROXY T"), BAD, PROXY_HEADER_V2, NULL, NULL },
	{ BYTES("GET / HTTP/1.1\r\n"), BAD, ANY, NULL, NULL },
	/* Version 2. */
	{ BYTES(SIGN "\x21\x11\0\x0c" ADDRESSES), DONE, ANY, "192.0.2.1:53100",
		"198.51.100.2:443" },
	{ BYTES(SIGN "\x21\x12\0\x0c" ADDRESSES), DONE, PROXY_HEADER_V2, "192.0.2.1:53100",
		"198.51.100.2:443" },
	{ BYTES(SIGN "\x21\x21\0\x24 \1\r\270\0\0\0\0\0\0\0\0\0\0\0\1"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\120"),
		DONE, ANY, "[2001:db8::1]:1", "[::1]:80" },
	{ BYTES(SIGN "\x21\x31\0\xd8" PATH("/tmp/ab") PATH("\0second")), DONE, ANY, "/tmp/ab",
		"@second" },
	{ BYTES(SIGN "\x21\x31\0\xd8" PATH("\0\0\0\0\0\0\0") PATH("/tmp/ab")), DONE, ANY,
		"(unnamed)", "/tmp/ab" },
	{ BYTES(SIGN "\x20\0\0\0"), DONE, ANY, NULL, NULL },
	{ BYTES(SIGN "\x20\x11\0\x0c" ADDRESSES), DONE, ANY, NULL, NULL },
	{ BYTES(SIGN "\x20\xff\0\3abc"), DONE, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\0\0\0"), DONE, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\0\0\x0f" ADDRESSES "abc"), DONE, ANY, NULL, NULL },
	/* A type that is not known; one without a value. */
	{ BYTES(SIGN "\x21\x11\0\x14" ADDRESSES "\x04\0\2xy\xe0\0\0"), DONE, ANY, "192.0.2.1:53100",
		"198.51.100.2:443" },
	{ BYTES(SIGN "\x21\x11\0\x17" ADDRESSES "\x20\0\x08\1\0\0\0\0\x21\0\0"), DONE, ANY,
		"192.0.2.1:53100", "198.51.100.2:443" },
	{ BYTES(SIGN "\x21\x11\0\x17" ADDRESSES "\x20\0\x08\1\0\0\0\0\x21\0\1"), BAD, ANY, NULL,
		NULL },
	{ BYTES(SIGN "\x21\x11\0\x13" ADDRESSES "\x20\0\4\1\0\0\0"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\0\x10" ADDRESSES "\1\0\2x"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\0\x0e" ADDRESSES "\1\0"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\0\x14" ADDRESSES "\1\0\1x\1\0\1x"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\0\x12" ADDRESSES "\3\0\3abc"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\0\x13" ADDRESSES "\3\0\4abcd"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\0\x0b"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x21\0\x0c"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x13\0\x0c"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x41\0\x0c"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x10\0\x0c"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x21\x11\x0f\xf1"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x22"), BAD, ANY, NULL, NULL },
	{ BYTES(SIGN "\x11"), BAD, ANY, NULL, NULL },
	{ BYTES("\r\n\r\n\0\r\nQUIT\r"), BAD, ANY, NULL, NULL },
	{ BYTES("\r\n"), BAD, PROXY_HEADER_V1, NULL, NULL },
};
#define HEADER_CASES (sizeof header_cases / sizeof header_cases[0])

/* Feeds up to n bytes in pieces of at most `piece`; returns how many were taken. */
static size_t
header_feed(struct proxy_reader *reader, const struct header_case *row, size_t n, size_t piece,
	enum proxy_reader_result *result)
{
	size_t taken = 0;
	*result = PROXY_READER_MORE;
	proxy_reader_start(reader, row->versions);
	while (*result == PROXY_READER_MORE && taken < n) {
		size_t part = reader->wants < piece ? reader->wants : piece;
		part = part < n - taken ? part : n - taken;
		CHECK(part > 0);
		*result = proxy_reader_take(reader, row->bytes + taken, part);
		taken += part;
	}
	return taken;
}

static void
header_check_address(const struct address *address, const char *wanted)
{
	char *text = address->length > 0 ? address_print(address) : NULL;
	CHECK((text == NULL) == (wanted == NULL));
	CHECK(text == NULL || wanted == NULL || strcmp(text, wanted) == 0);
	free(text);
}

static void
header_test_case(const struct header_case *row)
{
	static struct proxy_reader reader;
	static const size_t pieces[] = { 1, 2, 3, 5000 };
	enum proxy_reader_result result;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		size_t taken = header_feed(&reader, row, row->length, pieces[i], &result);
		CHECK(result == row->result);
		CHECK((reader.words == NULL) == (result == DONE));
		if (result != DONE)
			continue;
		CHECK(taken == row->length && reader.wants == 0);
		header_check_address(&reader.header.source, row->source);
		header_check_address(&reader.header.destination, row->destination);
	}
	for (size_t cut = 0; cut < row->length && row->result == DONE; cut++) {
		(void)header_feed(&reader, row, cut, 5000, &result);
		CHECK(result == PROXY_READER_MORE && reader.wants > 0);
		CHECK(reader.wants <= row->length - cut);
	}
}

static struct address
header_address(const char *text, uint16_t port)
{
	struct address address = { .length = sizeof address.v4 };
	if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
		address.any.sa_family = AF_INET;
	} else {
		CHECK(inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1);
		address.any.sa_family = AF_INET6;
		address.length = sizeof address.v6;
	}
	address_set_port(&address, port);
	return address;
}

/* What is written for these addresses is this, and is read as what it tells. */
static void
header_test_write(const char *source, const char *destination, const char *line,
	const char *source_read, const char *destination_read)
{
	static struct proxy_reader reader;
	unsigned char out[PROXY_HEADER_MAX];
	enum proxy_reader_result result;
	const struct proxy_header header = { .source = header_address(source, 1),
		.destination = header_address(destination, 80) };
	size_t length = proxy_header_write(&header, PROXY_HEADER_V1, out);
	CHECK(length == strlen(line) && memcmp(out, line, length) == 0);
	for (enum proxy_header_version version = PROXY_HEADER_V1; version < PROXY_HEADER_ANY;
		version++) {
		length = proxy_header_write(&header, version, out);
		const struct header_case row = { out, length, DONE, version, NULL, NULL };
		(void)header_feed(&reader, &row, length, 1, &result);
		CHECK(result == DONE);
		header_check_address(&reader.header.source, source_read);
		header_check_address(&reader.header.destination, destination_read);
	}
}

static void
header_test_values(void)
{
	static struct proxy_reader reader;
	static unsigned char out[PROXY_HEADER_MAX], large[PROXY_HEADER_MAX];
	enum proxy_reader_result result;
	struct proxy_header header = {
		.source = header_address("192.0.2.1", 53100),
		.destination = header_address("198.51.100.2", 443),
		.alpn = { BYTES("h2") },
		.authority = { BYTES("foo.test") },
		.id = { BYTES("id") },
		.ssl = { BYTES("\1\0\0\0\0\x21\0\7TLSv1.3") },
	};
	size_t length = proxy_header_write(&header, PROXY_HEADER_V2, out);
	const struct header_case row = { out, length, DONE, ANY, NULL, NULL };
	static const unsigned char wanted[] =
		SIGN "\x21\x11\0\x3a" ADDRESSES "\1\0\2h2\2\0\x08"
		     "foo.test\5\0\2id\x20\0\x0f\1\0\0\0\0\x21\0\7TLSv1.3\3\0\4";
	CHECK(length == sizeof wanted - 1 + 4 && memcmp(out, wanted, sizeof wanted - 1) == 0);
	(void)header_feed(&reader, &row, length, 5000, &result);
	CHECK(result == DONE);
	CHECK(reader.header.alpn.length == 2 && memcmp(reader.header.alpn.bytes, "h2", 2) == 0);
	CHECK(reader.header.authority.length == 8 && reader.header.id.length == 2);
	CHECK(reader.header.ssl.length == 15);
	/* Any other bit is a wrong checksum, or malformed, unless the header tells nothing
	 * or it makes something else of the checksum. */
	for (size_t bit = 0; bit < 8 * length; bit++) {
		out[bit / 8] ^= (unsigned char)(1 << bit % 8);
		(void)header_feed(&reader, &row, length, 5000, &result);
		CHECK(result == BAD || reader.header.source.length == 0 || bit / 8 == length - 7);
		out[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	/* What does not fit is left out. */
	header.ssl = (struct proxy_header_value){ large, sizeof large };
	CHECK(proxy_header_write(&header, PROXY_HEADER_V2, out) == length - 18);
	header.ssl = (struct proxy_header_value){ large, PROXY_HEADER_MAX - length + 15 };
	CHECK(proxy_header_write(&header, PROXY_HEADER_V2, out) == PROXY_HEADER_MAX);
	header.ssl.length++;
	CHECK(proxy_header_write(&header, PROXY_HEADER_V2, out) == length - 18);
}

/* Of Unix sockets, and of connections without addresses. */
static void
header_test_others(void)
{
	static struct proxy_reader reader;
	unsigned char out[PROXY_HEADER_MAX];
	enum proxy_reader_result result;
	struct proxy_header header = { .source = { .local = { .sun_family = AF_UNIX },
					       .length = sizeof(sa_family_t) } };
	CHECK(proxy_header_write(&header, PROXY_HEADER_V1, out) == 15 &&
		memcmp(out, "PROXY UNKNOWN\r\n", 15) == 0);
	CHECK(proxy_header_write(&header, PROXY_HEADER_V2, out) == 16 &&
		memcmp(out, SIGN "\x21\0\0\0", 16) == 0);
	header.destination = (struct address){
		.local = { .sun_family = AF_UNIX, .sun_path = "/tmp/s" },
		.length = sizeof header.destination.local,
	};
	size_t length = proxy_header_write(&header, PROXY_HEADER_V2, out);
	const struct header_case row = { out, length, DONE, ANY, NULL, NULL };
	(void)header_feed(&reader, &row, length, 7, &result);
	CHECK(result == DONE);
	header_check_address(&reader.header.source, "(unnamed)");
	header_check_address(&reader.header.destination, "/tmp/s");
}

static void
header_test_look(void)
{
	CHECK(proxy_reader_look(BYTES("PROXY")) == PROXY_READER_PERHAPS);
	CHECK(proxy_reader_look(BYTES("PROXY ")) == PROXY_READER_ALIKE);
	CHECK(proxy_reader_look(BYTES("PROXYX")) == PROXY_READER_UNLIKE);
	CHECK(proxy_reader_look(BYTES("\r\n\r\n\0\r\nQUIT")) == PROXY_READER_PERHAPS);
	CHECK(proxy_reader_look(BYTES(SIGN "x")) == PROXY_READER_ALIKE);
	CHECK(proxy_reader_look(BYTES("")) == PROXY_READER_PERHAPS);
	CHECK(proxy_reader_look(BYTES("\r\nx")) == PROXY_READER_UNLIKE);
}

int
main(void)
{
	/* RFC 3720, appendix B.4. */
	static const unsigned char zeros[32];
	CHECK(crc32c_add(0, zeros, sizeof zeros) == 0x8a9136aa);
	CHECK(crc32c_add(0, "123456789", 9) == 0xe3069283);
	CHECK(crc32c_add(crc32c_add(0, "1234", 4), "56789", 5) == 0xe3069283);
	for (size_t i = 0; i < HEADER_CASES; i++) {
		unsigned long before = check_failed;
		header_test_case(&header_cases[i]);
		if (check_failed > before)
			(void)fprintf(stderr, "case %zu\n", i);
	}
	header_test_write("192.0.2.1", "192.0.2.2", "PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n",
		"192.0.2.1:1", "192.0.2.2:80");
	header_test_write("::1", "2001:db8::2", "PROXY TCP6 ::1 2001:db8::2 1 80\r\n", "[::1]:1",
		"[2001:db8::2]:80");
	header_test_write("192.0.2.1", "::2", "PROXY TCP6 ::ffff:192.0.2.1 ::2 1 80\r\n",
		"[::ffff:192.0.2.1]:1", "[::2]:80");
	header_test_write("::ffff:192.0.2.1", "::ffff:192.0.2.2",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n", "192.0.2.1:1", "192.0.2.2:80");
	header_test_values();
	header_test_others();
	header_test_look();
	return check_verdict("proxy_header");
}
