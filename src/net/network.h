/*
 * A network: the addresses whose first bits are given. One address is a network, too.
 *
 * An IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1, as a socket for both families
 * shows its IPv4 peers) is the IPv4 address, wherever it comes from, so that ::/0 is every IPv6
 * address and no IPv4 one.
 */
#ifndef SOCKCAT_NET_NETWORK_H
#define SOCKCAT_NET_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "net/endpoint.h"

/* size: 4 or 16, of the bytes; bits <= 8 * size; all bits behind these are 0. */
struct network {
	unsigned char bytes[16];
	uint8_t size, bits;
	uint32_t scope; /* the interface of a link-local one; 0: any */
};

enum network_text { NETWORK_IS_ONE, NETWORK_IS_NAME, NETWORK_IS_BAD };

/*
 * Reads "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "[::1]", "fe80::1%eth0", "fe80::%eth0/64";
 * the text is cut. A host's name (without a length) is only checked, and refused if there are to be
 * addresses only. Bits behind the prefix are refused: in 10.1.2.3/8 either the address or the
 * length is a slip, and to guess which may open a door. BAD: status 3 or 27.
 */
enum network_text network_parse(
	struct network *network, char *text, bool numeric_only, struct fault *fault);

/* The one address. False: it is neither IPv4 nor IPv6. */
bool network_of(struct network *network, const struct address *address);

/* Whether all of `inner` is in `outer`. */
bool network_holds(const struct network *outer, const struct network *inner);

#endif
