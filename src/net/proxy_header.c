/* Writing headers of the PROXY protocol; see proxy_header.h. */
#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "sys/sys.h"

/* Type and length of a value, and a checksum, which is the last one. */
#define PROXY_HEADER_HEAD 3
#define PROXY_HEADER_CHECKSUM (PROXY_HEADER_HEAD + 4)

static bool
proxy_header_is_ip(const struct address *address)
{
	return address->length > 0 &&
		(address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6);
}

/* The form of both addresses. */
static enum proxy_header_family
proxy_header_family(const struct address *source, const struct address *destination)
{
	if (proxy_header_is_ip(source) && proxy_header_is_ip(destination))
		return source->any.sa_family == AF_INET && destination->any.sa_family == AF_INET
			? PROXY_HEADER_TCP4
			: PROXY_HEADER_TCP6;
	return source->length > 0 && destination->length > 0 && source->any.sa_family == AF_UNIX &&
			destination->any.sa_family == AF_UNIX
		? PROXY_HEADER_UNIX
		: PROXY_HEADER_UNSPEC;
}

/* --- version 1 --- */

static void
proxy_header_print(const struct address *address, bool six, char text[static INET6_ADDRSTRLEN])
{
	struct address mapped = *address;
	if (six)
		address_map(&mapped);
	(void)inet_ntop(six ? AF_INET6 : AF_INET,
		six ? (const void *)&mapped.v6.sin6_addr : &mapped.v4.sin_addr, text,
		INET6_ADDRSTRLEN);
}

static size_t
proxy_header_write_v1(
	const struct address *source, const struct address *destination, unsigned char *out)
{
	enum proxy_header_family family = proxy_header_family(source, destination);
	bool six = family == PROXY_HEADER_TCP6;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN], line[PROXY_HEADER_V1_MAX + 1];
	int length = 0;
	if (six || family == PROXY_HEADER_TCP4) {
		proxy_header_print(source, six, from);
		proxy_header_print(destination, six, to);
		length = snprintf(line, sizeof line,
			"PROXY TCP%c %s %s %" PRIu16 " %" PRIu16 "\r\n", six ? '6' : '4', from, to,
			address_port(source), address_port(destination));
	} else {
		length = snprintf(line, sizeof line, "PROXY UNKNOWN\r\n");
	}
	memcpy(out, line, (size_t)length);
	return (size_t)length;
}

/* --- version 2 --- */

static size_t
proxy_header_put(unsigned char *out, size_t at, const void *bytes, size_t n)
{
	memcpy(out + at, bytes, n);
	return at + n;
}

static size_t
proxy_header_put_u16(unsigned char *out, size_t at, size_t value)
{
	out[at] = (unsigned char)(value >> 8);
	out[at + 1] = (unsigned char)value;
	return at + 2;
}

/* The whole path, filled with NULs. */
static size_t
proxy_header_put_path(unsigned char *out, size_t at, const struct address *address)
{
	size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t length = address->length > offset ? address->length - offset : 0;
	memset(out + at, 0, PROXY_HEADER_PATH);
	memcpy(out + at, address->local.sun_path,
		length < PROXY_HEADER_PATH ? length : PROXY_HEADER_PATH);
	return at + PROXY_HEADER_PATH;
}

static size_t
proxy_header_put_addresses(unsigned char *out, size_t at, enum proxy_header_family family,
	const struct address *source, const struct address *destination)
{
	const struct address *both[] = { source, destination };
	for (size_t i = 0; i < 2 && family == PROXY_HEADER_UNIX; i++)
		at = proxy_header_put_path(out, at, both[i]);
	for (size_t i = 0; i < 2 && family == PROXY_HEADER_TCP4; i++)
		at = proxy_header_put(out, at, &both[i]->v4.sin_addr, 4);
	for (size_t i = 0; i < 2 && family == PROXY_HEADER_TCP6; i++) {
		struct address six = *both[i];
		address_map(&six);
		at = proxy_header_put(out, at, &six.v6.sin6_addr, 16);
	}
	for (size_t i = 0; i < 2 && family != PROXY_HEADER_UNIX; i++)
		at = proxy_header_put_u16(out, at, address_port(both[i]));
	return at;
}

/* Adds a value, if it is there and fits. */
static size_t
proxy_header_put_value(unsigned char *out, size_t at, enum proxy_header_type type,
	const struct proxy_header_value *value)
{
	size_t room = PROXY_HEADER_MAX - PROXY_HEADER_CHECKSUM - at;
	if (value->bytes == NULL || room < PROXY_HEADER_HEAD ||
		value->length > room - PROXY_HEADER_HEAD)
		return at;
	out[at] = (unsigned char)type;
	return proxy_header_put(
		out, proxy_header_put_u16(out, at + 1, value->length), value->bytes, value->length);
}

/* Adds the checksum of the whole header, in which it counts as 0; sets the length. */
static size_t
proxy_header_seal(unsigned char *out, size_t at)
{
	static const unsigned char empty[] = { PROXY_HEADER_CRC32C, 0, 4, 0, 0, 0, 0 };
	size_t end = proxy_header_put(out, at, empty, sizeof empty);
	(void)proxy_header_put_u16(out, PROXY_HEADER_V2_FIXED - 2, end - PROXY_HEADER_V2_FIXED);
	uint32_t crc = crc32c_add(0, out, end);
	for (size_t i = 0; i < 4; i++)
		out[end - 4 + i] = (unsigned char)(crc >> (8 * (3 - i)));
	return end;
}

static size_t
proxy_header_write_v2(const struct proxy_header *header, const struct address *source,
	const struct address *destination, unsigned char *out)
{
	enum proxy_header_family family = proxy_header_family(source, destination);
	size_t at = proxy_header_put(out, 0, PROXY_HEADER_SIGNATURE, PROXY_HEADER_SIGNATURE_LENGTH);
	out[at++] = 0x21;
	out[at++] = (unsigned char)family;
	at = proxy_header_put_u16(out, at, 0);
	/* Receivers skip all that follows. */
	if (family == PROXY_HEADER_UNSPEC)
		return at;
	at = proxy_header_put_addresses(out, at, family, source, destination);
	at = proxy_header_put_value(out, at, PROXY_HEADER_ALPN, &header->alpn);
	at = proxy_header_put_value(out, at, PROXY_HEADER_AUTHORITY, &header->authority);
	at = proxy_header_put_value(out, at, PROXY_HEADER_ID, &header->id);
	at = proxy_header_put_value(out, at, PROXY_HEADER_SSL, &header->ssl);
	return proxy_header_seal(out, at);
}

size_t
proxy_header_write(const struct proxy_header *header, enum proxy_header_version version,
	unsigned char out[static PROXY_HEADER_MAX])
{
	struct address source = header->source, destination = header->destination;
	address_unmap(&source);
	address_unmap(&destination);
	return version == PROXY_HEADER_V1
		? proxy_header_write_v1(&source, &destination, out)
		: proxy_header_write_v2(header, &source, &destination, out);
}

void
proxy_header_add_id(struct proxy_header *header, char text[static PROXY_HEADER_UUID])
{
	unsigned char id[16];
	size_t length = 0;
	if (header->id.bytes != NULL || !sys_random(id, sizeof id))
		return;
	id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof id; i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;
		length += (size_t)snprintf(text + length, PROXY_HEADER_UUID - length, "%s%02x",
			dash ? "-" : "", id[i]);
	}
	header->id = (struct proxy_header_value){ (const unsigned char *)text, length };
}

/* Moves a value to the bytes at `to`; returns their end. */
static unsigned char *
proxy_header_move(struct proxy_header_value *value, unsigned char *to)
{
	if (value->bytes == NULL)
		return to;
	memcpy(to, value->bytes, value->length);
	value->bytes = to;
	return to + value->length;
}

struct proxy_header *
proxy_header_copy(const struct proxy_header *header)
{
	struct proxy_header *copy = malloc(sizeof *copy + header->alpn.length +
		header->authority.length + header->id.length + header->ssl.length);
	if (copy == NULL)
		return NULL;
	*copy = *header;
	unsigned char *to = (unsigned char *)(copy + 1);
	to = proxy_header_move(&copy->alpn, to);
	to = proxy_header_move(&copy->authority, to);
	to = proxy_header_move(&copy->id, to);
	(void)proxy_header_move(&copy->ssl, to);
	return copy;
}
