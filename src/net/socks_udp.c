/* The header of datagrams through a SOCKS5 proxy; see socks_udp.h. */
#include "net/socks_udp.h"

#include <string.h>

/* Types of addresses. */
#define SOCKS_UDP_IPV4 1
#define SOCKS_UDP_NAME 3
#define SOCKS_UDP_IPV6 4

/* The bytes before the address. */
#define SOCKS_UDP_HEAD 4

/* Sets the address; false: the type has none. */
static bool
socks_udp_set_address(struct socks_udp *header, unsigned type, const unsigned char *bytes)
{
	struct address *address = &header->address;
	if (type == SOCKS_UDP_IPV4) {
		*address = (struct address){ .v4 = { .sin_family = AF_INET },
			.length = sizeof address->v4 };
		memcpy(&address->v4.sin_addr, bytes, 4);
	} else if (type == SOCKS_UDP_IPV6) {
		*address = (struct address){ .v6 = { .sin6_family = AF_INET6 },
			.length = sizeof address->v6 };
		memcpy(&address->v6.sin6_addr, bytes, 16);
		address_unmap(address);
	} else {
		return false;
	}
	address_set_port(address, header->port);
	return true;
}

const char *
socks_udp_read(struct socks_udp *header, const unsigned char *bytes, size_t n)
{
	static const char cut[] = "the header is cut off";
	*header = (struct socks_udp){ .length = 0 };
	if (n < SOCKS_UDP_HEAD + 1)
		return cut;
	if (bytes[0] != 0 || bytes[1] != 0)
		return "the header is malformed";
	if (bytes[2] != 0)
		return "fragments are not supported";
	unsigned type = bytes[3];
	size_t start = SOCKS_UDP_HEAD + (type == SOCKS_UDP_NAME);
	size_t length = type == SOCKS_UDP_IPV4 ? 4
		: type == SOCKS_UDP_IPV6       ? 16
		: type == SOCKS_UDP_NAME       ? bytes[SOCKS_UDP_HEAD]
					       : 0;
	if (length == 0)
		return type == SOCKS_UDP_NAME ? "the name is empty" : "unknown type of address";
	if (n < start + length + 2)
		return cut;
	const unsigned char *port = bytes + start + length;
	header->port = (uint16_t)(port[0] << 8 | port[1]);
	header->length = start + length + 2;
	if (header->port == 0)
		return "the port is 0";
	if (socks_udp_set_address(header, type, bytes + start))
		return NULL;
	header->name = (const char *)bytes + start;
	header->name_length = length;
	return memchr(header->name, '\0', length) == NULL ? NULL : "the name has a NUL byte";
}

size_t
socks_udp_length(const struct address *address)
{
	return SOCKS_UDP_HEAD + (address->any.sa_family == AF_INET ? 4 : 16) + 2;
}

static void
socks_udp_put_port(unsigned char *bytes, uint16_t port)
{
	bytes[0] = (unsigned char)(port >> 8);
	bytes[1] = (unsigned char)port;
}

size_t
socks_udp_write(unsigned char bytes[static SOCKS_UDP_ADDRESS_MAX], const struct address *address)
{
	bool four = address->any.sa_family == AF_INET;
	size_t length = four ? 4 : 16;
	memset(bytes, 0, SOCKS_UDP_HEAD);
	bytes[3] = four ? SOCKS_UDP_IPV4 : SOCKS_UDP_IPV6;
	if (four)
		memcpy(bytes + SOCKS_UDP_HEAD, &address->v4.sin_addr, 4);
	else
		memcpy(bytes + SOCKS_UDP_HEAD, &address->v6.sin6_addr, 16);
	socks_udp_put_port(bytes + SOCKS_UDP_HEAD + length, address_port(address));
	return SOCKS_UDP_HEAD + length + 2;
}

size_t
socks_udp_write_name(unsigned char bytes[static SOCKS_UDP_MAX], const char *name, uint16_t port)
{
	size_t length = strlen(name);
	if (length == 0 || length > SOCKS_UDP_NAME_MAX)
		return 0;
	memset(bytes, 0, SOCKS_UDP_HEAD);
	bytes[3] = SOCKS_UDP_NAME;
	bytes[SOCKS_UDP_HEAD] = (unsigned char)length;
	memcpy(bytes + SOCKS_UDP_HEAD + 1, name, length);
	socks_udp_put_port(bytes + SOCKS_UDP_HEAD + 1 + length, port);
	return SOCKS_UDP_HEAD + 1 + length + 2;
}
