/*
 * Networks: addresses with a common prefix; a single address has the full prefix length.
 *
 * IPv4-mapped IPv6 addresses (::ffff:192.0.2.1, the IPv4 peers of a dual-stack socket) are
 * converted to IPv4, so that ::/0 matches all IPv6 addresses and no IPv4 address.
 */
#ifndef SOCKCAT_NET_CIDR_H
#define SOCKCAT_NET_CIDR_H

#include "base/fault.h"
#include "net/endpoint.h"

/* size is 4 or 16; bits <= 8 * size; all bits after the prefix are 0. */
struct cidr {
	unsigned char bytes[16];
	uint8_t size, bits;
	uint32_t scope; /* the interface of a link-local address; 0: any */
};

enum cidr_text { CIDR_NETWORK, CIDR_NAME, CIDR_BAD };

/*
 * Parses "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "[::1]", "fe80::1%eth0", "fe80::%eth0/64"
 * and modifies the text. A host name (without prefix length) is validated only, and rejected if
 * `numeric_only`. Bits after the prefix are rejected: in 10.1.2.3/8 either the address or the
 * length is a mistake, and a wrong guess may permit too much. CIDR_BAD: status 3 or 27.
 */
enum cidr_text cidr_parse(struct cidr *network, char *text, bool numeric_only, struct fault *fault);

/* Converts an address. False: it is neither IPv4 nor IPv6. */
bool cidr_from(struct cidr *network, const struct address *address);

bool cidr_is_loopback(const struct cidr *address);

/* Whether `inner` is a subset of `outer`. */
bool cidr_contains(const struct cidr *outer, const struct cidr *inner);

#endif
