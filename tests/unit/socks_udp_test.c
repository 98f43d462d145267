/* The header of datagrams through a SOCKS5 proxy (RFC 1928, section 7), at every cut; what is
 * written is read again. */
#include "net/socks_udp.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static const struct socks_udp_case {
	const unsigned char *in;
	size_t in_length;
	const char *shown; /* the address, or the name; NULL: dropped */
	uint16_t port;
	const char *words;
} socks_udp_cases[] = {
	{ BYTES("\0\0\0\1\300\0\2\1\0\65"), "192.0.2.1:53", 53, NULL },
	{ BYTES("\0\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\273"), "[2001:db8::1]:443", 443,
		NULL },
	{ BYTES("\0\0\0\4\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1\0\65"), "127.0.0.1:53", 53, NULL },
	{ BYTES("\0\0\0\3\6a.test\377\377"), "a.test", 65535, NULL },
	{ BYTES("\0\0\0\3\1\377\0\1"), "\377", 1, NULL },
	{ BYTES("\1\0\0\1\300\0\2\1\0\65"), NULL, 0, "the header is malformed" },
	{ BYTES("\0\1\0\1\300\0\2\1\0\65"), NULL, 0, "the header is malformed" },
	{ BYTES("\0\0\1\1\300\0\2\1\0\65"), NULL, 0, "fragments are not supported" },
	{ BYTES("\0\0\200\1\300\0\2\1\0\65"), NULL, 0, "fragments are not supported" },
	{ BYTES("\0\0\0\0\300\0\2\1\0\65"), NULL, 0, "unknown type of address" },
	{ BYTES("\0\0\0\2\300\0\2\1\0\65"), NULL, 0, "unknown type of address" },
	{ BYTES("\0\0\0\5\300\0\2\1\0\65"), NULL, 0, "unknown type of address" },
	{ BYTES("\0\0\0\3\0\0\65"), NULL, 0, "the name is empty" },
	{ BYTES("\0\0\0\3\2a\0\0\65"), NULL, 0, "the name has a NUL byte" },
	{ BYTES("\0\0\0\3\3a\0b\0\65"), NULL, 0, "the name has a NUL byte" },
	{ BYTES("\0\0\0\1\300\0\2\1\0\0"), NULL, 0, "the port is 0" },
	{ BYTES("\0\0\0\3\1a\0\0"), NULL, 0, "the port is 0" },
};

/* Reads from a block of exactly this size, so that a sanitizer sees a read behind it. */
static const char *
socks_udp_case_read(struct socks_udp *header, const unsigned char *bytes, size_t n, bool *same)
{
	unsigned char *copy = malloc(n + (n == 0));
	CHECK(copy != NULL);
	if (copy == NULL)
		return "";
	memcpy(copy, bytes, n);
	const char *words = socks_udp_read(header, copy, n);
	*same = words != NULL || header->name == NULL ||
		(header->name > (const char *)copy &&
			header->name + header->name_length + 2 ==
				(const char *)copy + header->length);
	free(copy);
	return words;
}

static void
socks_udp_test_case(const struct socks_udp_case *row)
{
	struct socks_udp header;
	unsigned char more[600];
	bool same;
	memset(more, 'X', sizeof more);
	memcpy(more, row->in, row->in_length);
	const char *words = socks_udp_read(&header, more, sizeof more);
	CHECK((words == NULL) == (row->words == NULL));
	CHECK(words == NULL || strcmp(words, row->words) == 0);
	if (row->shown == NULL)
		return;
	CHECK(header.length == row->in_length && header.port == row->port);
	if (header.name == NULL) {
		char *shown = address_print(&header.address);
		CHECK(shown != NULL && strcmp(shown, row->shown) == 0);
		free(shown);
	} else {
		CHECK(header.address.length == 0 && header.name_length == strlen(row->shown) &&
			memcmp(header.name, row->shown, header.name_length) == 0);
	}
	for (size_t cut = 0; cut < row->in_length; cut++) {
		words = socks_udp_case_read(&header, row->in, cut, &same);
		CHECK(words != NULL && strcmp(words, "the header is cut off") == 0);
	}
	CHECK(socks_udp_case_read(&header, row->in, row->in_length, &same) == NULL && same);
}

static void
socks_udp_test_write(void)
{
	static const char *const hosts[] = { "192.0.2.1", "0.0.0.0", "2001:db8::1", "::" };
	unsigned char bytes[SOCKS_UDP_MAX];
	struct socks_udp header;
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct address to = { .length = 0 };
		if (i < 2) {
			to.v4.sin_family = AF_INET;
			to.length = sizeof to.v4;
			CHECK(inet_pton(AF_INET, hosts[i], &to.v4.sin_addr) == 1);
		} else {
			to.v6.sin6_family = AF_INET6;
			to.length = sizeof to.v6;
			CHECK(inet_pton(AF_INET6, hosts[i], &to.v6.sin6_addr) == 1);
		}
		address_set_port(&to, 513);
		size_t length = socks_udp_write(bytes, &to);
		CHECK(length == socks_udp_length(&to) && length <= SOCKS_UDP_ADDRESS_MAX);
		CHECK(socks_udp_read(&header, bytes, length) == NULL && header.length == length);
		CHECK(address_equal(&header.address, &to));
	}
	char name[300];
	memset(name, 'n', sizeof name);
	name[256] = '\0';
	CHECK(socks_udp_write_name(bytes, name, 53) == 0 &&
		socks_udp_write_name(bytes, "", 53) == 0);
	name[255] = '\0';
	CHECK(socks_udp_write_name(bytes, name, 53) == SOCKS_UDP_MAX);
	CHECK(socks_udp_read(&header, bytes, SOCKS_UDP_MAX) == NULL && header.port == 53);
	CHECK(header.name_length == 255 && memcmp(header.name, name, 255) == 0);
}

/* IPv4 addresses written as IPv6. */
static void
socks_udp_test_map(void)
{
	struct address four = { .v4 = { .sin_family = AF_INET }, .length = sizeof four.v4 };
	four.v4.sin_addr.s_addr = htonl(0xc0000201);
	four.v4.sin_port = htons(53);
	struct address to = four;
	address_unmap(&to);
	CHECK(address_equal(&to, &four));
	address_map(&to);
	char *shown = address_print(&to);
	CHECK(shown != NULL && strcmp(shown, "[::ffff:192.0.2.1]:53") == 0);
	free(shown);
	address_map(&to);
	address_unmap(&to);
	CHECK(address_equal(&to, &four) && to.length == four.length);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof socks_udp_cases / sizeof socks_udp_cases[0]; i++) {
		unsigned long before = check_failed;
		socks_udp_test_case(&socks_udp_cases[i]);
		if (check_failed > before)
			(void)fprintf(stderr, "case %zu\n", i);
	}
	socks_udp_test_write();
	socks_udp_test_map();
	return check_verdict("socks_udp");
}
