/* The requests of UDP services: their structure, read from the standards a second time. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "net/udp_probe.h"

static const unsigned char udp_probe_test_random[UDP_PROBE_RANDOM] = { 0xf1, 0xe2, 0xd3, 0xc4, 0xb5,
	0xa6, 0x97, 0x88, 0x79, 0x6a, 0x5b, 0x4c };

static unsigned char udp_probe_test_bytes[UDP_PROBE_MAX + 1];

static size_t
udp_probe_test_write(uint16_t port, size_t i)
{
	size_t length = udp_probe_write(port, i, udp_probe_test_random, udp_probe_test_bytes);
	CHECK(length <= UDP_PROBE_MAX);
	udp_probe_test_bytes[length] = '\0';
	return length;
}

/* The big-endian number of the bytes. */
static uint32_t
udp_probe_test_number(size_t at, size_t size)
{
	uint32_t number = 0;
	while (size-- > 0)
		number = number << 8 | udp_probe_test_bytes[at++];
	return number;
}

static bool
udp_probe_test_has_random(size_t at, size_t size)
{
	return memcmp(udp_probe_test_bytes + at, udp_probe_test_random, size) == 0;
}

/* A DNS query (RFC 1035, 4.1) with one question and this name; returns the type. */
static uint32_t
udp_probe_test_dns(uint16_t port, const char *name, uint32_t flags)
{
	size_t length = udp_probe_test_write(port, 0), at = 12, put = 0;
	char got[80];
	CHECK(udp_probe_test_has_random(0, 2));
	CHECK(udp_probe_test_number(2, 2) == flags);
	CHECK(udp_probe_test_number(4, 2) == 1);
	CHECK(udp_probe_test_number(6, 4) == 0 && udp_probe_test_number(10, 2) == 0);
	while (at < length && udp_probe_test_bytes[at] != 0) {
		size_t label = udp_probe_test_bytes[at++];
		CHECK(label < 64 && at + label < length && put + label + 1 < sizeof got);
		memcpy(got + put, udp_probe_test_bytes + at, label);
		put += label;
		got[put++] = '.';
		at += label;
	}
	got[put] = '\0';
	CHECK(strcmp(got, name) == 0);
	CHECK(length == at + 5);
	CHECK(udp_probe_test_number(at + 3, 2) == 1); /* IN */
	return udp_probe_test_number(at + 1, 2);
}

static void
udp_probe_test_names(void)
{
	CHECK(udp_probe_test_dns(53, "", 0) == 6); /* SOA */
	CHECK(udp_probe_test_dns(5353, "_services._dns-sd._udp.local.", 0) == 12);
	/* RFC 1001, 14.1: two letters for each of 16 bytes, "*" and zeros. */
	CHECK(udp_probe_test_dns(137, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.", 0) == 0x21);
}

/* A BER element: its tag, and where its content is. Lengths are short in all requests. */
static size_t
udp_probe_test_element(size_t *at, size_t end, unsigned char tag)
{
	CHECK(*at + 2 <= end && udp_probe_test_bytes[*at] == tag);
	size_t length = udp_probe_test_bytes[*at + 1];
	CHECK(length < 0x80 && *at + 2 + length <= end);
	*at += 2;
	return length;
}

static uint32_t
udp_probe_test_integer(size_t *at, size_t end)
{
	size_t length = udp_probe_test_element(at, end, 0x02);
	CHECK(length >= 1 && length <= 4);
	/* Positive, in the fewest bytes. */
	CHECK(udp_probe_test_bytes[*at] < 0x80);
	CHECK(length == 1 || udp_probe_test_bytes[*at] != 0 ||
		udp_probe_test_bytes[*at + 1] >= 0x80);
	uint32_t number = udp_probe_test_number(*at, length);
	*at += length;
	return number;
}

static void
udp_probe_test_string(size_t *at, size_t end, const char *wanted)
{
	size_t length = udp_probe_test_element(at, end, 0x04);
	CHECK(length == strlen(wanted) && memcmp(udp_probe_test_bytes + *at, wanted, length) == 0);
	*at += length;
}

/* A GetRequest; returns the length of the list of its variables, at *at. */
static size_t
udp_probe_test_get(size_t *at, size_t end)
{
	CHECK(udp_probe_test_element(at, end, 0xa0) == end - *at);
	(void)udp_probe_test_integer(at, end);
	CHECK(udp_probe_test_integer(at, end) == 0);
	CHECK(udp_probe_test_integer(at, end) == 0);
	size_t length = udp_probe_test_element(at, end, 0x30);
	CHECK(length == end - *at);
	return length;
}

/* RFC 1157 and 3416. */
static void
udp_probe_test_snmp(size_t i, uint32_t version)
{
	static const unsigned char name[] = { 0x2b, 6, 1, 2, 1, 1, 1, 0 }; /* 1.3.6.1.2.1.1.1.0 */
	size_t end = udp_probe_test_write(161, i), at = 0;
	CHECK(udp_probe_test_element(&at, end, 0x30) == end - 2);
	CHECK(udp_probe_test_integer(&at, end) == version);
	udp_probe_test_string(&at, end, "public");
	CHECK(udp_probe_test_has_random(at + 5, 3));
	CHECK(udp_probe_test_get(&at, end) > 0);
	CHECK(udp_probe_test_element(&at, end, 0x30) == end - at);
	CHECK(udp_probe_test_element(&at, end, 0x06) == sizeof name);
	CHECK(memcmp(udp_probe_test_bytes + at, name, sizeof name) == 0);
	at += sizeof name;
	CHECK(udp_probe_test_element(&at, end, 0x05) == 0 && at == end);
}

/* RFC 3412, 6, and RFC 3414, 2.4. */
static void
udp_probe_test_snmp3(void)
{
	size_t end = udp_probe_test_write(161, 2), at = 0;
	CHECK(udp_probe_test_element(&at, end, 0x30) == end - 2);
	CHECK(udp_probe_test_integer(&at, end) == 3);
	size_t length = udp_probe_test_element(&at, end, 0x30), header = at;
	CHECK(udp_probe_test_has_random(at + 3, 3));
	(void)udp_probe_test_integer(&at, end);
	CHECK(udp_probe_test_integer(&at, end) >= 484);
	udp_probe_test_string(&at, end, "\x04"); /* reportable */
	CHECK(udp_probe_test_integer(&at, end) == 3 && at == header + length);
	length = udp_probe_test_element(&at, end, 0x04);
	size_t security = at;
	CHECK(udp_probe_test_element(&at, end, 0x30) == length - 2);
	udp_probe_test_string(&at, end, "");
	CHECK(udp_probe_test_integer(&at, end) == 0 && udp_probe_test_integer(&at, end) == 0);
	for (int i = 0; i < 3; i++)
		udp_probe_test_string(&at, end, "");
	CHECK(at == security + length);
	CHECK(udp_probe_test_element(&at, end, 0x30) == end - at);
	udp_probe_test_string(&at, end, "");
	udp_probe_test_string(&at, end, "");
	CHECK(udp_probe_test_get(&at, end) == 0 && at == end);
}

/* The places of the random bytes, and the constant bytes before them. */
static const struct {
	uint16_t port;
	size_t length, at, size;
	const char *start;
} udp_probe_test_rows[] = {
	{ 123, 48, 40, 8, "\x23" },                      /* RFC 5905: version 4, client */
	{ 3478, 20, 8, 12, "" },                         /* RFC 8489 */
	{ 443, 1200, 6, 8, "\xc0\x1a\x2a\x3a\x4a\x08" }, /* RFC 9000, 15: 0x?a?a?a?a */
	{ 5683, 4, 2, 2, "\x40" }, /* RFC 7252: version 1, confirmable, no token */
	{ 11211, 17, 0, 2, "" },
	{ 111, 40, 0, 4, "" },
};

static void
udp_probe_test_numbers(void)
{
	for (size_t i = 0; i < sizeof udp_probe_test_rows / sizeof udp_probe_test_rows[0]; i++) {
		uint16_t port = udp_probe_test_rows[i].port;
		const char *start = udp_probe_test_rows[i].start;
		CHECK(udp_probe_test_write(port, 0) == udp_probe_test_rows[i].length);
		CHECK(memcmp(udp_probe_test_bytes, start, strlen(start)) == 0);
		CHECK(udp_probe_test_has_random(
			udp_probe_test_rows[i].at, udp_probe_test_rows[i].size));
	}
	(void)udp_probe_test_write(123, 0);
	for (size_t i = 1; i < 40; i++)
		CHECK(udp_probe_test_bytes[i] == 0);
	(void)udp_probe_test_write(3478, 0);
	CHECK(udp_probe_test_number(0, 4) == 0x00010000);
	CHECK(udp_probe_test_number(4, 4) == 0x2112a442);
	(void)udp_probe_test_write(443, 0);
	for (size_t i = 14; i < 1200; i++)
		CHECK(udp_probe_test_bytes[i] == 0);
	/* RFC 5531: call, version 2, program 100000, version 2, procedure 0, two AUTH_NONE. */
	(void)udp_probe_test_write(111, 0);
	static const uint32_t call[] = { 0, 2, 100000, 2, 0, 0, 0, 0, 0 };
	for (size_t i = 0; i < sizeof call / sizeof call[0]; i++)
		CHECK(udp_probe_test_number(4 + 4 * i, 4) == call[i]);
	(void)udp_probe_test_write(11211, 0);
	CHECK(udp_probe_test_number(2, 4) == 1 && udp_probe_test_number(6, 2) == 0);
	CHECK(strcmp((char *)udp_probe_test_bytes + 8, "version\r\n") == 0);
}

static size_t
udp_probe_test_occurrences(const char *text, const char *piece)
{
	size_t count = 0;
	for (; (text = strstr(text, piece)) != NULL; text++)
		count++;
	return count;
}

static void
udp_probe_test_texts(void)
{
	const char *text = (const char *)udp_probe_test_bytes;
	size_t length = udp_probe_test_write(5060, 0);
	CHECK(strlen(text) == length);
	CHECK(strncmp(text, "OPTIONS sip:", 12) == 0);
	CHECK(strcmp(text + length - 4, "\r\n\r\n") == 0);
	CHECK(strchr(text, '%') == NULL);
	/* The low half of each random byte: branch, tag and call. */
	CHECK(udp_probe_test_occurrences(text, "bcdefghijklm") == 3);
	CHECK(strstr(text, ";branch=z9hG4bKbcdefghijklm;rport\r\n") != NULL);
	static const char *const fields[] = { "Via", "Max-Forwards", "From", "To", "Call-ID",
		"CSeq" };
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		char line[20];
		(void)snprintf(line, sizeof line, "\r\n%s: ", fields[i]);
		CHECK(udp_probe_test_occurrences(text, line) == 1);
	}
	length = udp_probe_test_write(1900, 0);
	CHECK(strlen(text) == length);
	CHECK(strncmp(text, "M-SEARCH * HTTP/1.1\r\n", 21) == 0);
	CHECK(strstr(text, "\r\nMAN: \"ssdp:discover\"\r\n") != NULL);
	CHECK(strcmp(text + length - 4, "\r\n\r\n") == 0);
}

/* Every port: within bounds, the same again, and empty for most. */
static void
udp_probe_test_all(void)
{
	static unsigned char again[UDP_PROBE_MAX];
	size_t known = 0;
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		size_t count = udp_probe_count((uint16_t)port);
		CHECK(count == (port == 161 ? 3 : 1));
		for (size_t i = 0; i < count; i++) {
			size_t length = udp_probe_test_write((uint16_t)port, i);
			CHECK(udp_probe_write((uint16_t)port, i, udp_probe_test_random, again) ==
				length);
			CHECK(memcmp(again, udp_probe_test_bytes, length) == 0);
			known += length > 0;
		}
	}
	CHECK(known == 20);
	CHECK(udp_probe_test_write(514, 0) == 0);
	CHECK(udp_probe_test_write(69, 0) == 0);
}

int
main(void)
{
	udp_probe_test_names();
	udp_probe_test_snmp(0, 1);
	udp_probe_test_snmp(1, 0);
	udp_probe_test_snmp3();
	udp_probe_test_numbers();
	udp_probe_test_texts();
	udp_probe_test_all();
	return check_verdict("udp_probe");
}
