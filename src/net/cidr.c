/* Networks; see cidr.h. */
#include "net/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/parse.h"
#include "net/resolve.h"

#define CIDR_IPV4 4
#define CIDR_IPV6 16

/* The prefix of IPv4-mapped IPv6 addresses (RFC 4291, section 2.5.5.2). */
#define CIDR_MAPPED 12
static const unsigned char cidr_mapped[CIDR_MAPPED] = { [10] = 0xff, [11] = 0xff };

/* Compares the first bits. */
static bool
cidr_same_prefix(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* Clears the bits after the prefix. */
static void
cidr_mask(struct cidr *network)
{
	for (unsigned i = 0; i < network->size; i++) {
		unsigned bits = network->bits > 8 * i ? network->bits - 8 * i : 0;
		if (bits < 8)
			network->bytes[i] &= (unsigned char)(0xff00U >> bits);
	}
}

/* Converts an IPv4-mapped network to IPv4. */
static void
cidr_unmap(struct cidr *network)
{
	if (network->size != CIDR_IPV6 || network->bits < 8 * CIDR_MAPPED ||
		memcmp(network->bytes, cidr_mapped, CIDR_MAPPED) != 0)
		return;
	memmove(network->bytes, network->bytes + CIDR_MAPPED, CIDR_IPV4);
	memset(network->bytes + CIDR_IPV4, 0, CIDR_MAPPED);
	network->size = CIDR_IPV4;
	network->bits -= 8 * CIDR_MAPPED;
	network->scope = 0;
}

bool
cidr_from(struct cidr *network, const struct address *address)
{
	memset(network, 0, sizeof *network);
	if (address->any.sa_family == AF_INET && address->length >= sizeof address->v4) {
		network->size = CIDR_IPV4;
		memcpy(network->bytes, &address->v4.sin_addr, CIDR_IPV4);
	} else if (address->any.sa_family == AF_INET6 && address->length >= sizeof address->v6) {
		network->size = CIDR_IPV6;
		network->scope = address->v6.sin6_scope_id;
		memcpy(network->bytes, &address->v6.sin6_addr, CIDR_IPV6);
	} else {
		return false;
	}
	network->bits = (uint8_t)(8 * network->size);
	cidr_unmap(network);
	return true;
}

bool
cidr_is_loopback(const struct cidr *address)
{
	static const unsigned char six[CIDR_IPV6] = { [15] = 1 };
	return address->size == CIDR_IPV4 ? address->bytes[0] == 127
					  : memcmp(address->bytes, six, sizeof six) == 0;
}

bool
cidr_contains(const struct cidr *outer, const struct cidr *inner)
{
	return outer->size == inner->size && outer->bits <= inner->bits &&
		(outer->scope == 0 || outer->scope == inner->scope) &&
		cidr_same_prefix(outer->bytes, inner->bytes, outer->bits);
}

/* Parses an address with an interface, or a name. */
static enum cidr_text
cidr_parse_host(struct cidr *network, char *host, bool numeric_only, struct fault *fault)
{
	struct endpoint endpoint = { .names = TRANSPORT_INET };
	struct resolve resolve;
	/* "192.0.2.1-9" and "192.0.2.*" would be valid names. */
	if (strspn(host, "0123456789.-*") == strlen(host) && strpbrk(host, "-*") != NULL) {
		(void)fault_set(fault, STATUS_VALUE, 0,
			"host '%s': for a range write its networks, such as 192.0.2.0/24", host);
		return CIDR_BAD;
	}
	if (!endpoint_set_host(&endpoint, host, numeric_only, fault))
		return CIDR_BAD;
	if (!endpoint.numeric)
		return CIDR_NAME;
	bool found = resolve_start(&resolve, &endpoint, fault) == IO_OK &&
		cidr_from(network, &resolve.addresses[0]);
	resolve_close(&resolve);
	return found ? CIDR_NETWORK : CIDR_BAD;
}

/* Parses the part before the prefix length. */
static enum cidr_text
cidr_parse_address(struct cidr *network, char *host, bool numeric_only, struct fault *fault)
{
	size_t length = strlen(host);
	if (inet_pton(AF_INET, host, network->bytes) == 1) {
		network->size = CIDR_IPV4;
		network->bits = 8 * CIDR_IPV4;
		return CIDR_NETWORK;
	}
	bool brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
	if (brackets)
		host[length - 1] = '\0';
	bool ipv6 = inet_pton(AF_INET6, host + brackets, network->bytes) == 1;
	if (brackets)
		host[length - 1] = ']';
	if (!ipv6)
		return cidr_parse_host(network, host, numeric_only, fault);
	network->size = CIDR_IPV6;
	network->bits = 8 * CIDR_IPV6;
	return CIDR_NETWORK;
}

/* The prefix length of an IPv4 mask such as 255.0.0.0; -1: it is none. */
static int
cidr_mask_bits(const char *text)
{
	struct in_addr mask;
	if (inet_pton(AF_INET, text, &mask) != 1)
		return -1;
	uint32_t bits = ntohl(mask.s_addr), rest = ~bits;
	int length = 32;
	for (; rest != 0 && (rest & (rest + 1)) == 0; rest >>= 1)
		length--;
	return rest == 0 ? length : -1;
}

/* Sets the prefix length. */
static bool
cidr_set_bits(struct cidr *network, const char *host, const char *text, struct fault *fault)
{
	struct cidr whole = *network;
	char shown[INET6_ADDRSTRLEN];
	uint64_t bits;
	int mask = network->size == CIDR_IPV4 ? cidr_mask_bits(text) : -1;
	if (mask != -1)
		return fault_set(fault, STATUS_VALUE, 0, "network '%s/%s': write %s/%d", host, text,
			host, mask);
	if (parse_count(text, network->bits, &bits) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"network '%s/%s': expected a prefix length from 0 to %u", host, text,
			(unsigned)network->bits);
	network->bits = (uint8_t)bits;
	cidr_mask(network);
	if (memcmp(network->bytes, whole.bytes, sizeof whole.bytes) == 0)
		return true;
	const char *scope = strchr(host, '%');
	const char *first = inet_ntop(network->size == CIDR_IPV4 ? AF_INET : AF_INET6,
		network->bytes, shown, sizeof shown);
	return fault_set(fault, STATUS_VALUE, 0,
		"network '%s/%s': the address has bits after the prefix; write %s%s/%s for the "
		"network, or no length for one address",
		host, text, first != NULL ? first : "", scope != NULL ? scope : "", text);
}

enum cidr_text
cidr_parse(struct cidr *network, char *text, bool numeric_only, struct fault *fault)
{
	char *slash = strchr(text, '/'), *colon = strchr(text, ':');
	int mask = colon != NULL && strchr(text, '.') != NULL && strchr(text, '.') < colon
		? cidr_mask_bits(colon + 1)
		: -1;
	memset(network, 0, sizeof *network);
	if (mask != -1) {
		(void)fault_set(fault, STATUS_VALUE, 0, "network '%s': write %.*s/%d", text,
			(int)(colon - text), text, mask);
		return CIDR_BAD;
	}
	if (slash != NULL)
		*slash = '\0';
	enum cidr_text result = cidr_parse_address(network, text, numeric_only, fault);
	if (result == CIDR_NAME && slash != NULL) {
		(void)fault_set(fault, STATUS_VALUE, 0,
			"network '%s/%s': a name cannot have a prefix length", text, slash + 1);
		return CIDR_BAD;
	}
	if (result == CIDR_NETWORK && slash != NULL &&
		!cidr_set_bits(network, text, slash + 1, fault))
		return CIDR_BAD;
	if (result == CIDR_NETWORK)
		cidr_unmap(network);
	return result;
}
