/* Reading headers of the PROXY protocol; see proxy_reader.h. */
#include "net/proxy_reader.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/crc32c.h"

#define PROXY_READER_V1 "PROXY "
#define PROXY_READER_V1_LENGTH (sizeof PROXY_READER_V1 - 1)
#define PROXY_READER_UNKNOWN "PROXY UNKNOWN"
#define PROXY_READER_UNKNOWN_LENGTH (sizeof PROXY_READER_UNKNOWN - 1)

/* "PROXY UNKNOWN\r\n", the shortest header of all. */
#define PROXY_READER_SHORTEST (PROXY_READER_UNKNOWN_LENGTH + 2)

/* The fields of version 1. */
enum proxy_reader_field {
	PROXY_READER_WORD,
	PROXY_READER_FAMILY,
	PROXY_READER_SOURCE,
	PROXY_READER_DESTINATION,
	PROXY_READER_SOURCE_PORT,
	PROXY_READER_DESTINATION_PORT,
	PROXY_READER_FIELDS
};

static enum proxy_reader_result
proxy_reader_malformed(struct proxy_reader *reader, const char *words)
{
	reader->words = words;
	reader->wants = 0;
	return PROXY_READER_MALFORMED;
}

static enum proxy_reader_result
proxy_reader_done(struct proxy_reader *reader)
{
	reader->wants = 0;
	return PROXY_READER_DONE;
}

/* --- version 1 --- */

/* A decimal number up to 65535 without leading zeros. */
static bool
proxy_reader_port(const char *text, struct address *address)
{
	unsigned long port = 0;
	size_t length = strlen(text);
	if (length == 0 || length > 5 || strspn(text, "0123456789") != length ||
		(text[0] == '0' && length > 1))
		return false;
	for (; *text != '\0'; text++)
		port = 10 * port + (unsigned long)(*text - '0');
	address_set_port(address, (uint16_t)port);
	return port <= 65535;
}

static bool
proxy_reader_address(const char *text, bool six, struct address *address)
{
	char canonical[INET6_ADDRSTRLEN];
	if (six) {
		*address = (struct address){ .v6 = { .sin6_family = AF_INET6 },
			.length = sizeof address->v6 };
		return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
	}
	*address =
		(struct address){ .v4 = { .sin_family = AF_INET }, .length = sizeof address->v4 };
	/* Some systems accept leading zeros. */
	return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1 &&
		inet_ntop(AF_INET, &address->v4.sin_addr, canonical, sizeof canonical) != NULL &&
		strcmp(text, canonical) == 0;
}

/* Parses the line, without its end; the terminated fields are those between single spaces. */
static enum proxy_reader_result
proxy_reader_parse_line(struct proxy_reader *reader, char *line)
{
	struct proxy_header *header = &reader->header;
	char *fields[PROXY_READER_FIELDS], *rest = line;
	size_t count = 0;
	for (; rest != NULL && count < PROXY_READER_FIELDS; count++) {
		fields[count] = rest;
		rest = strchr(rest, ' ');
		if (rest != NULL)
			*rest++ = '\0';
	}
	if (count < PROXY_READER_FIELDS || rest != NULL)
		return proxy_reader_malformed(
			reader, "expected two addresses and two ports between single spaces");
	bool six = strcmp(fields[PROXY_READER_FAMILY], "TCP6") == 0;
	if (!six && strcmp(fields[PROXY_READER_FAMILY], "TCP4") != 0)
		return proxy_reader_malformed(reader, "expected TCP4, TCP6 or UNKNOWN");
	if (!proxy_reader_address(fields[PROXY_READER_SOURCE], six, &header->source) ||
		!proxy_reader_address(fields[PROXY_READER_DESTINATION], six, &header->destination))
		return proxy_reader_malformed(reader, "invalid address");
	if (!proxy_reader_port(fields[PROXY_READER_SOURCE_PORT], &header->source) ||
		!proxy_reader_port(fields[PROXY_READER_DESTINATION_PORT], &header->destination))
		return proxy_reader_malformed(reader, "invalid port");
	return proxy_reader_done(reader);
}

/* The line is complete. */
static enum proxy_reader_result
proxy_reader_end_line(struct proxy_reader *reader)
{
	char line[PROXY_HEADER_V1_MAX];
	size_t length = reader->length - 2;
	const unsigned char *bytes = reader->bytes;
	/* What follows UNKNOWN is ignored. */
	if (memcmp(bytes, PROXY_READER_UNKNOWN, PROXY_READER_UNKNOWN_LENGTH) == 0 &&
		(length == PROXY_READER_UNKNOWN_LENGTH ||
			bytes[PROXY_READER_UNKNOWN_LENGTH] == ' '))
		return proxy_reader_done(reader);
	if (memchr(bytes, '\0', length) != NULL)
		return proxy_reader_malformed(reader, "it contains a NUL");
	memcpy(line, bytes, length);
	line[length] = '\0';
	return proxy_reader_parse_line(reader, line);
}

/* Looks at the n bytes that were read last. There are always two more until CR and LF are there. */
static enum proxy_reader_result
proxy_reader_step_v1(struct proxy_reader *reader, size_t n)
{
	const unsigned char *bytes = reader->bytes;
	size_t length = reader->length;
	for (size_t i = length - n; i < length; i++)
		if (bytes[i] == '\n')
			return i + 1 == length && bytes[i - 1] == '\r'
				? proxy_reader_end_line(reader)
				: proxy_reader_malformed(reader, "a line feed without CR");
	if (length >= PROXY_HEADER_V1_MAX)
		return proxy_reader_malformed(reader, "it is longer than 107 bytes");
	if (length < PROXY_READER_SHORTEST)
		reader->wants = PROXY_READER_SHORTEST - length;
	else
		reader->wants =
			bytes[length - 1] == '\r' || length + 1 == PROXY_HEADER_V1_MAX ? 1 : 2;
	return PROXY_READER_MORE;
}

/* --- version 2 --- */

static size_t
proxy_reader_u16(const unsigned char *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* The bytes of both addresses; false: there is no such family and transport. */
static bool
proxy_reader_size(unsigned family, size_t *size)
{
	switch ((enum proxy_header_family)family) {
	case PROXY_HEADER_UNSPEC:
		*size = 0;
		return true;
	case PROXY_HEADER_TCP4:
	case PROXY_HEADER_UDP4:
		*size = 2 * 4 + 2 * 2;
		return true;
	case PROXY_HEADER_TCP6:
	case PROXY_HEADER_UDP6:
		*size = 2 * 16 + 2 * 2;
		return true;
	case PROXY_HEADER_UNIX:
	case PROXY_HEADER_UNIX_DATAGRAM:
		*size = 2 * PROXY_HEADER_PATH;
		return true;
	}
	return false;
}

/* A path, or the abstract name after a NUL; only NULs: a socket without a name. */
static struct address
proxy_reader_path(const unsigned char *bytes)
{
	struct address address = { .local = { .sun_family = AF_UNIX } };
	size_t length = PROXY_HEADER_PATH;
	while (length > 0 && bytes[length - 1] == '\0')
		length--;
	if (length > sizeof address.local.sun_path)
		length = sizeof address.local.sun_path;
	memcpy(address.local.sun_path, bytes, length);
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return address;
}

static void
proxy_reader_addresses(struct proxy_reader *reader, unsigned family)
{
	const unsigned char *bytes = reader->bytes + PROXY_HEADER_V2_FIXED;
	struct address *both[] = { &reader->header.source, &reader->header.destination };
	for (size_t i = 0; i < 2; i++) {
		struct address *address = both[i];
		if (family == PROXY_HEADER_TCP4 || family == PROXY_HEADER_UDP4) {
			*address = (struct address){ .v4 = { .sin_family = AF_INET },
				.length = sizeof address->v4 };
			memcpy(&address->v4.sin_addr, bytes + 4 * i, 4);
			memcpy(&address->v4.sin_port, bytes + 8 + 2 * i, 2);
		} else if (family == PROXY_HEADER_TCP6 || family == PROXY_HEADER_UDP6) {
			*address = (struct address){ .v6 = { .sin6_family = AF_INET6 },
				.length = sizeof address->v6 };
			memcpy(&address->v6.sin6_addr, bytes + 16 * i, 16);
			memcpy(&address->v6.sin6_port, bytes + 32 + 2 * i, 2);
		} else {
			*address = proxy_reader_path(bytes + PROXY_HEADER_PATH * i);
		}
	}
}

/* Whether the checksum at this place is that of the header with zeros in its place. */
static bool
proxy_reader_is_intact(const struct proxy_reader *reader, size_t at)
{
	static const unsigned char zero[4];
	const unsigned char *bytes = reader->bytes;
	uint32_t sent = 0;
	for (size_t i = 0; i < sizeof zero; i++)
		sent = sent << 8 | bytes[at + i];
	uint32_t crc = crc32c_add(0, bytes, at);
	crc = crc32c_add(crc, zero, sizeof zero);
	at += sizeof zero;
	return crc32c_add(crc, bytes + at, reader->length - at) == sent;
}

/* The end of the value whose type is at this place; 0: it does not fit. */
static size_t
proxy_reader_value_end(const unsigned char *bytes, size_t at, size_t end)
{
	if (end - at < 3)
		return 0;
	size_t length = proxy_reader_u16(bytes + at + 1);
	return length <= end - at - 3 ? at + 3 + length : 0;
}

/* Whether the parts of PROXY_HEADER_SSL fit. */
static bool
proxy_reader_is_ssl(const struct proxy_header_value *value)
{
	size_t at = PROXY_HEADER_SSL_FIXED;
	if (value->length < at)
		return false;
	while (at < value->length) {
		at = proxy_reader_value_end(value->bytes, at, value->length);
		if (at == 0)
			return false;
	}
	return true;
}

/* Where the header keeps values of this type; NULL: nowhere. */
static struct proxy_header_value *
proxy_reader_place(struct proxy_header *header, unsigned type)
{
	switch ((enum proxy_header_type)type) {
	case PROXY_HEADER_ALPN:
		return &header->alpn;
	case PROXY_HEADER_AUTHORITY:
		return &header->authority;
	case PROXY_HEADER_ID:
		return &header->id;
	case PROXY_HEADER_SSL:
		return &header->ssl;
	case PROXY_HEADER_CRC32C:
		break;
	}
	return NULL;
}

/* Takes one value; returns why it is malformed, or NULL. */
static const char *
proxy_reader_take_value(struct proxy_reader *reader, size_t at, size_t next, bool *summed)
{
	unsigned type = reader->bytes[at];
	const struct proxy_header_value value = { reader->bytes + at + 3, next - at - 3 };
	struct proxy_header_value *place = proxy_reader_place(&reader->header, type);
	if (type == PROXY_HEADER_CRC32C) {
		bool again = *summed;
		*summed = true;
		return again ? "two checksums"
			: value.length != 4 || !proxy_reader_is_intact(reader, at + 3)
			? "the checksum is wrong"
			: NULL;
	}
	if (place == NULL)
		return NULL;
	if (place->bytes != NULL)
		return "two values of one type";
	if (type == PROXY_HEADER_ID && value.length > PROXY_HEADER_ID_MAX)
		return "the unique ID is longer than 128 bytes";
	if (type == PROXY_HEADER_SSL && !proxy_reader_is_ssl(&value))
		return "a part of the TLS value does not fit";
	*place = value;
	return NULL;
}

/* All bytes are there. */
static enum proxy_reader_result
proxy_reader_parse_v2(struct proxy_reader *reader)
{
	const unsigned char *bytes = reader->bytes;
	unsigned family = bytes[13];
	bool summed = false;
	size_t at = 0;
	/* LOCAL: a connection of the proxy itself, such as a health check; whatever follows is
	 * skipped, as it is without a family: nothing says where the values begin. */
	if (bytes[12] == 0x20 || family == PROXY_HEADER_UNSPEC)
		return proxy_reader_done(reader);
	(void)proxy_reader_size(family, &at);
	at += PROXY_HEADER_V2_FIXED;
	proxy_reader_addresses(reader, family);
	while (at < reader->length) {
		size_t next = proxy_reader_value_end(bytes, at, reader->length);
		const char *words = next == 0 ? "a value is longer than the header"
					      : proxy_reader_take_value(reader, at, next, &summed);
		if (words != NULL)
			return proxy_reader_malformed(reader, words);
		at = next;
	}
	return proxy_reader_done(reader);
}

static enum proxy_reader_result
proxy_reader_step_v2(struct proxy_reader *reader)
{
	const unsigned char *bytes = reader->bytes;
	size_t length = reader->length, size = 0;
	if (length > 12 && bytes[12] != 0x20 && bytes[12] != 0x21)
		return proxy_reader_malformed(reader, "neither LOCAL nor PROXY of version 2");
	if (length < PROXY_HEADER_V2_FIXED) {
		reader->wants = PROXY_HEADER_V2_FIXED - length;
		return PROXY_READER_MORE;
	}
	size_t total = PROXY_HEADER_V2_FIXED + proxy_reader_u16(bytes + 14);
	if (bytes[12] != 0x20 && !proxy_reader_size(bytes[13], &size))
		return proxy_reader_malformed(reader, "unknown family or transport");
	if (total < PROXY_HEADER_V2_FIXED + size)
		return proxy_reader_malformed(reader, "it is too short for its addresses");
	if (total > PROXY_HEADER_MAX)
		return proxy_reader_malformed(reader, "it is longer than 4096 bytes");
	if (length == total)
		return proxy_reader_parse_v2(reader);
	reader->wants = total - length;
	return PROXY_READER_MORE;
}

/* --- both --- */

static bool
proxy_reader_begins(const unsigned char *bytes, size_t n, const char *word, size_t length)
{
	return memcmp(bytes, word, n < length ? n : length) == 0;
}

enum proxy_reader_likeness
proxy_reader_look(const unsigned char *bytes, size_t n)
{
	bool one = proxy_reader_begins(bytes, n, PROXY_READER_V1, PROXY_READER_V1_LENGTH);
	bool two = proxy_reader_begins(
		bytes, n, PROXY_HEADER_SIGNATURE, PROXY_HEADER_SIGNATURE_LENGTH);
	if (!one && !two)
		return PROXY_READER_UNLIKE;
	return n >= (one ? PROXY_READER_V1_LENGTH : PROXY_HEADER_SIGNATURE_LENGTH)
		? PROXY_READER_ALIKE
		: PROXY_READER_PERHAPS;
}

void
proxy_reader_start(struct proxy_reader *reader, enum proxy_header_version versions)
{
	*reader = (struct proxy_reader){ .versions = versions, .wants = PROXY_READER_SHORTEST };
}

enum proxy_reader_result
proxy_reader_take(struct proxy_reader *reader, const unsigned char *bytes, size_t n)
{
	if (n == 0 || n > reader->wants)
		return proxy_reader_malformed(reader, "too many bytes");
	memcpy(reader->bytes + reader->length, bytes, n);
	reader->length += n;
	reader->wants -= n;
	enum proxy_header_version version =
		reader->bytes[0] == 'P' ? PROXY_HEADER_V1 : PROXY_HEADER_V2;
	if (proxy_reader_look(reader->bytes, reader->length) == PROXY_READER_UNLIKE)
		return proxy_reader_malformed(reader, "there is no header");
	if ((reader->versions & version) == 0)
		return proxy_reader_malformed(reader,
			version == PROXY_HEADER_V1 ? "it is of version 1" : "it is of version 2");
	return version == PROXY_HEADER_V1 ? proxy_reader_step_v1(reader, n)
					  : proxy_reader_step_v2(reader);
}
