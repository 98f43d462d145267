/*
 * The header of the PROXY protocol, which a proxy sends before the first byte of a connection: the
 * addresses of the client's connection, in version 2 with what is known about it (haproxy's
 * proxy-protocol.txt of 2020/03/05). Reading one is in proxy_reader.h.
 */
#ifndef SOCKCAT_NET_PROXY_HEADER_H
#define SOCKCAT_NET_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "net/endpoint.h"

/* The most bytes of a header of version 1, and of version 2, which could have 65,551. */
#define PROXY_HEADER_V1_MAX 107
#define PROXY_HEADER_MAX 4096

/* The fixed part of version 2, which its signature begins. */
#define PROXY_HEADER_V2_FIXED 16
#define PROXY_HEADER_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_HEADER_SIGNATURE_LENGTH (sizeof PROXY_HEADER_SIGNATURE - 1)

/* The longest unique ID, and the size of one that is made here: a UUID as text. */
#define PROXY_HEADER_ID_MAX 128
#define PROXY_HEADER_UUID (sizeof "01234567-89ab-cdef-0123-456789abcdef")

/* Bits, so that both can be expected. */
enum proxy_header_version { PROXY_HEADER_V1 = 1, PROXY_HEADER_V2 = 2, PROXY_HEADER_ANY = 3 };

/* Families and transports of version 2: the only combinations that are valid. */
enum proxy_header_family {
	PROXY_HEADER_UNSPEC = 0x00,
	PROXY_HEADER_TCP4 = 0x11,
	PROXY_HEADER_UDP4 = 0x12,
	PROXY_HEADER_TCP6 = 0x21,
	PROXY_HEADER_UDP6 = 0x22,
	PROXY_HEADER_UNIX = 0x31,
	PROXY_HEADER_UNIX_DATAGRAM = 0x32
};

/* The bytes of a path. */
#define PROXY_HEADER_PATH 108

/* Types of what follows the addresses in version 2: type, length in two bytes, value. */
enum proxy_header_type {
	PROXY_HEADER_ALPN = 0x01,
	PROXY_HEADER_AUTHORITY = 0x02,
	PROXY_HEADER_CRC32C = 0x03,
	PROXY_HEADER_ID = 0x05,
	PROXY_HEADER_SSL = 0x20
};

/* The value of PROXY_HEADER_SSL: these bits (of the certificate: in this connection, and in one of
 * the TLS session), 4 bytes that are 0 if a certificate of the client was verified, and parts of
 * these types. */
#define PROXY_HEADER_SSL_FIXED 5
#define PROXY_HEADER_SSL_USED 1
#define PROXY_HEADER_SSL_CERT 2
#define PROXY_HEADER_SSL_CERT_SESSION 4
#define PROXY_HEADER_SSL_VERSION 0x21
#define PROXY_HEADER_SSL_CN 0x22
#define PROXY_HEADER_SSL_CIPHER 0x23

/* Bytes that are not owned; NULL: not there. */
struct proxy_header_value {
	const unsigned char *bytes;
	size_t length;
};

struct proxy_header {
	struct address source, destination; /* of the client's connection; length 0: unknown */
	struct proxy_header_value alpn, authority, id, ssl;
};

/*
 * Writes the header; returns its length. Addresses of different families are written as IPv6,
 * mapped ones as IPv4 if both are; if they have no form, that of an unknown connection is written.
 * Values are only in version 2, if they fit, with a checksum.
 */
size_t proxy_header_write(const struct proxy_header *header, enum proxy_header_version version,
	unsigned char out[static PROXY_HEADER_MAX]);

/* Sets a unique ID, a random UUID (RFC 9562, 5.4) that is written to `text`, unless there is one.
 * Without random numbers there is none. */
void proxy_header_add_id(struct proxy_header *header, char text[static PROXY_HEADER_UUID]);

/* A copy, which owns its values and is freed by free(3); NULL if there is no memory. */
struct proxy_header *proxy_header_copy(const struct proxy_header *header);

#endif
