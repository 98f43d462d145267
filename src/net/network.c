/* Networks; see network.h. */
#include "net/network.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/parse.h"
#include "net/resolve.h"

#define NETWORK_IPV4 4
#define NETWORK_IPV6 16

/* Where an IPv4 address stands in the IPv6 form of it, and what stands before it. */
#define NETWORK_MAPPED 12
static const unsigned char network_mapped[NETWORK_MAPPED] = { [10] = 0xff, [11] = 0xff };

/* Both of all lengths and a network of their first bits. */
static bool
network_begin_alike(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* Clears what lies behind the prefix. */
static void
network_mask(struct network *network)
{
	for (unsigned i = 0; i < network->size; i++) {
		unsigned kept = network->bits > 8 * i ? network->bits - 8 * i : 0;
		if (kept < 8)
			network->bytes[i] &= (unsigned char)(0xff00U >> kept);
	}
}

/* The IPv4 network that an IPv6 one stands for. */
static void
network_unmap(struct network *network)
{
	if (network->size != NETWORK_IPV6 || network->bits < 8 * NETWORK_MAPPED ||
		memcmp(network->bytes, network_mapped, NETWORK_MAPPED) != 0)
		return;
	memmove(network->bytes, network->bytes + NETWORK_MAPPED, NETWORK_IPV4);
	memset(network->bytes + NETWORK_IPV4, 0, NETWORK_MAPPED);
	network->size = NETWORK_IPV4;
	network->bits -= 8 * NETWORK_MAPPED;
	network->scope = 0;
}

bool
network_of(struct network *network, const struct address *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;
	memset(network, 0, sizeof *network);
	if (address->storage.ss_family == AF_INET && address->length >= sizeof *v4) {
		network->size = NETWORK_IPV4;
		memcpy(network->bytes, &v4->sin_addr, NETWORK_IPV4);
	} else if (address->storage.ss_family == AF_INET6 && address->length >= sizeof *v6) {
		network->size = NETWORK_IPV6;
		network->scope = v6->sin6_scope_id;
		memcpy(network->bytes, &v6->sin6_addr, NETWORK_IPV6);
	} else {
		return false;
	}
	network->bits = (uint8_t)(8 * network->size);
	network_unmap(network);
	return true;
}

bool
network_holds(const struct network *outer, const struct network *inner)
{
	return outer->size == inner->size && outer->bits <= inner->bits &&
		(outer->scope == 0 || outer->scope == inner->scope) &&
		network_begin_alike(outer->bytes, inner->bytes, outer->bits);
}

/* An address with an interface, or a name. */
static enum network_text
network_parse_host(struct network *network, char *host, bool numeric_only, struct fault *fault)
{
	struct endpoint endpoint = { .names = TRANSPORT_INET };
	struct resolve resolve;
	/* It looks like a name, and a resolver would be asked for it. */
	if (strspn(host, "0123456789.-*") == strlen(host) && strpbrk(host, "-*") != NULL) {
		(void)fault_set(fault, STATUS_VALUE, 0,
			"host '%s': for a range write its networks, such as 192.0.2.0/24", host);
		return NETWORK_IS_BAD;
	}
	if (!endpoint_set_host(&endpoint, host, numeric_only, fault))
		return NETWORK_IS_BAD;
	if (!endpoint.numeric)
		return NETWORK_IS_NAME;
	bool found = resolve_start(&resolve, &endpoint, fault) == IO_OK &&
		network_of(network, &resolve.addresses[0]);
	resolve_close(&resolve);
	return found ? NETWORK_IS_ONE : NETWORK_IS_BAD;
}

/* The address, whatever its length will be. */
static enum network_text
network_parse_address(struct network *network, char *host, bool numeric_only, struct fault *fault)
{
	size_t length = strlen(host);
	if (inet_pton(AF_INET, host, network->bytes) == 1) {
		network->size = NETWORK_IPV4;
		network->bits = 8 * NETWORK_IPV4;
		return NETWORK_IS_ONE;
	}
	bool brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
	if (brackets)
		host[length - 1] = '\0';
	bool ipv6 = inet_pton(AF_INET6, host + brackets, network->bytes) == 1;
	if (brackets)
		host[length - 1] = ']';
	if (!ipv6)
		return network_parse_host(network, host, numeric_only, fault);
	network->size = NETWORK_IPV6;
	network->bits = 8 * NETWORK_IPV6;
	return NETWORK_IS_ONE;
}

/* Cuts the network to its prefix. */
static bool
network_set_bits(struct network *network, const char *host, const char *text, struct fault *fault)
{
	struct network whole = *network;
	char shown[INET6_ADDRSTRLEN];
	uint64_t bits;
	if (parse_count(text, network->bits, &bits) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"network '%s/%s': the length of its prefix goes from 0 to %u", host, text,
			(unsigned)network->bits);
	network->bits = (uint8_t)bits;
	network_mask(network);
	if (memcmp(network->bytes, whole.bytes, sizeof whole.bytes) == 0)
		return true;
	const char *scope = strchr(host, '%');
	const char *first = inet_ntop(network->size == NETWORK_IPV4 ? AF_INET : AF_INET6,
		network->bytes, shown, sizeof shown);
	return fault_set(fault, STATUS_VALUE, 0,
		"network '%s/%s': the address goes beyond the prefix; write %s%s/%s for all of it, "
		"or no length for the one address",
		host, text, first != NULL ? first : "", scope != NULL ? scope : "", text);
}

enum network_text
network_parse(struct network *network, char *text, bool numeric_only, struct fault *fault)
{
	char *slash = strchr(text, '/');
	memset(network, 0, sizeof *network);
	if (slash != NULL)
		*slash = '\0';
	enum network_text result = network_parse_address(network, text, numeric_only, fault);
	if (result == NETWORK_IS_NAME && slash != NULL) {
		(void)fault_set(fault, STATUS_VALUE, 0,
			"network '%s/%s': a name has no length of a prefix", text, slash + 1);
		return NETWORK_IS_BAD;
	}
	if (result == NETWORK_IS_ONE && slash != NULL &&
		!network_set_bits(network, text, slash + 1, fault))
		return NETWORK_IS_BAD;
	if (result == NETWORK_IS_ONE)
		network_unmap(network);
	return result;
}
