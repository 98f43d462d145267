/*
 * Fuzzes access lists: the kind and a peer, then the content of a file. It is rejected with status
 * 3, or every network is unchanged after printing and parsing, and matching the peer agrees with a
 * comparison bit by bit. No name is resolved.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/acl.h"

/* The first byte: 1 deny, 2 an IPv4 peer, 4 addresses only, 8 an option instead of a file. */
#define ACL_FUZZ_HEAD 17

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static bool
acl_fuzz_bit(const unsigned char *bytes, unsigned i)
{
	return (bytes[i / 8] & (0x80U >> (i % 8))) != 0;
}

/* Prints the network and parses the result. */
static void
acl_fuzz_check(const struct cidr *network)
{
	char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 32];
	struct fault fault = FAULT_NONE;
	struct cidr again;
	if (network->size != 4 && network->size != 16)
		abort();
	for (unsigned i = network->bits; i < 8U * network->size; i++)
		if (acl_fuzz_bit(network->bytes, i))
			abort();
	if (inet_ntop(network->size == 4 ? AF_INET : AF_INET6, network->bytes, address,
		    sizeof address) == NULL)
		abort();
	int length = network->scope == 0
		? snprintf(text, sizeof text, "%s/%u", address, network->bits)
		: snprintf(text, sizeof text, "%s%%%u/%u", address, network->scope, network->bits);
	if (length < 0 || (size_t)length >= sizeof text ||
		cidr_parse(&again, text, true, &fault) != CIDR_NETWORK ||
		memcmp(again.bytes, network->bytes, sizeof again.bytes) != 0 ||
		again.size != network->size || again.bits != network->bits ||
		again.scope != network->scope)
		abort();
}

static bool
acl_fuzz_holds(const struct acl_part *part, const struct cidr *peer)
{
	bool any = false;
	for (size_t i = 0; i < part->count; i++) {
		const struct cidr *network = &part->list[i];
		bool all = network->size == peer->size &&
			(network->scope == 0 || network->scope == peer->scope);
		for (unsigned bit = 0; bit < network->bits && all; bit++)
			all = acl_fuzz_bit(network->bytes, bit) == acl_fuzz_bit(peer->bytes, bit);
		any = any || all;
	}
	return any;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < ACL_FUZZ_HEAD)
		return 0;
	enum acl_kind kind = (bytes[0] & 1) != 0 ? ACL_DENY : ACL_ALLOW;
	struct acl_source source = { .kind = kind, .file = (bytes[0] & 8) == 0, .text = "F" };
	struct acl_config config = { &source, 1, (bytes[0] & 4) != 0 };
	struct acl access = { .config = &config, .loaded = true };
	struct address peer = { .length = sizeof(struct sockaddr_in6) };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&peer.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer.storage;
	struct fault fault = FAULT_NONE;
	struct cidr network;
	if ((bytes[0] & 2) != 0) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, bytes + 1, sizeof v4->sin_addr);
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_scope_id = 1;
		memcpy(&v6->sin6_addr, bytes + 1, sizeof v6->sin6_addr);
	}
	bool good = acl_list_add(&access.list, &config, &source,
		(const char *)bytes + ACL_FUZZ_HEAD, n - ACL_FUZZ_HEAD, &fault);
	if (good == fault_is_set(&fault) || (!good && fault.status != STATUS_VALUE))
		abort();
	const struct acl_part *part = &access.list.parts[kind];
	for (size_t i = 0; i < part->count; i++)
		acl_fuzz_check(&part->list[i]);
	if (config.numeric_only && access.list.name_count > 0)
		abort();
	if (!cidr_from(&network, &peer))
		abort();
	bool held = acl_fuzz_holds(part, &network);
	if (acl_permits(&access, &peer) != (kind == ACL_ALLOW ? held : !held))
		abort();
	fault_clear(&fault);
	acl_list_close(&access.list);
	return 0;
}
