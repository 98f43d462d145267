/*
 * The header of a datagram that goes through a SOCKS5 proxy (RFC 1928, section 7), without I/O:
 *
 *     0 0 FRAG TYPE ADDRESS PORT
 *
 * In the direction of the proxy the address is the target, otherwise the sender. A reply to a
 * request has the same form, with other first bytes (section 6).
 */
#ifndef SOCKCAT_NET_SOCKS_UDP_H
#define SOCKCAT_NET_SOCKS_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "net/endpoint.h"

/* The longest header with an address, and with a name. */
#define SOCKS_UDP_ADDRESS_MAX (4 + 16 + 2)
#define SOCKS_UDP_NAME_MAX 255
#define SOCKS_UDP_MAX (4 + 1 + SOCKS_UDP_NAME_MAX + 2)

struct socks_udp {
	struct address address; /* with the port; length 0: there is a name */
	const char *name;       /* in the datagram, of any bytes and without NUL; NULL: none */
	size_t name_length;     /* > 0 with a name */
	uint16_t port;          /* > 0 */
	size_t length;          /* of the header */
};

/* Reads the header of a datagram of n bytes. NULL; or why the datagram is dropped. An IPv4 address
 * that is written as one of IPv6 becomes one of IPv4. */
const char *socks_udp_read(struct socks_udp *header, const unsigned char *bytes, size_t n);

/* Writes the header with an address of IPv4 or IPv6; returns its length, which is known before:
 * socks_udp_length. */
size_t socks_udp_write(
	unsigned char bytes[static SOCKS_UDP_ADDRESS_MAX], const struct address *address);
size_t socks_udp_length(const struct address *address);

/* Writes the header with a name; 0: the name is empty or longer than SOCKS_UDP_NAME_MAX. */
size_t socks_udp_write_name(
	unsigned char bytes[static SOCKS_UDP_MAX], const char *name, uint16_t port);

#endif
