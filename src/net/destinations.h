/*
 * Which addresses a proxy server connects to: entries ADDRESS[/BITS][:PORT], where ADDRESS may be
 * "*" and PORT a number, a name or a range.
 *
 * A denied address is refused; if there is an allow list, all others than its addresses are, too.
 * Special addresses (loopback, link-local, multicast and the like) are refused unless an entry of
 * the allow list has only such addresses, and those of this host unless an entry has only this one.
 * So 0.0.0.0/0 allows neither. An IPv6 address that contains an IPv4 address (NAT64, 6to4, Teredo
 * and the like) is refused if either is.
 */
#ifndef SOCKCAT_NET_DESTINATIONS_H
#define SOCKCAT_NET_DESTINATIONS_H

#include "base/fault.h"
#include "net/cidr.h"
#include "net/endpoint.h"

enum destinations_kind { DESTINATIONS_ALLOW, DESTINATIONS_DENY, DESTINATIONS_KINDS };

struct destination {
	struct cidr network;
	uint16_t first, last; /* ports */
};

struct destinations_list {
	struct destination *list; /* owned */
	size_t count;
};

/* Initially zeroed. */
struct destinations {
	struct destinations_list lists[DESTINATIONS_KINDS];
};

/* Adds the entries of a text, separated by commas. Status 3 or 27. */
bool destinations_add(struct destinations *destinations, enum destinations_kind kind,
	const char *text, struct fault *fault);

/* Why the address is refused; NULL: it is not. `own_port`: on which this host listens, which is
 * refused at its addresses; 0: none. */
const char *destinations_refuse(
	const struct destinations *destinations, const struct address *to, uint16_t own_port);

/* The same of a name that is not resolved here: if there are entries, none is permitted. */
const char *destinations_refuse_name(const struct destinations *destinations, const char *name);

void destinations_close(struct destinations *destinations);

#endif
