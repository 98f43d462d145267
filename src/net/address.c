/* Addresses of sockets; see endpoint.h. */
#include "net/endpoint.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

bool
address_of_socket(struct address *address, int fd)
{
	*address = (struct address){ .length = sizeof address->storage };
	if (getsockname(fd, &address->any, &address->length) == 0)
		return true;
	address->length = 0;
	return false;
}

bool
address_of_peer(struct address *address, int fd)
{
	*address = (struct address){ .length = sizeof address->storage };
	if (getpeername(fd, &address->any, &address->length) == 0)
		return true;
	address->length = 0;
	return false;
}

bool
address_is_multicast(const struct address *address)
{
	return address->any.sa_family == AF_INET ? IN_MULTICAST(ntohl(address->v4.sin_addr.s_addr))
		: address->any.sa_family == AF_INET6 ? IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr)
						     : false;
}

bool
address_is_loopback(const struct address *address)
{
	return address->any.sa_family == AF_INET
		? ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
		: address->any.sa_family == AF_INET6 &&
			IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

uint16_t
address_port(const struct address *address)
{
	return address->any.sa_family == AF_INET     ? ntohs(address->v4.sin_port)
		: address->any.sa_family == AF_INET6 ? ntohs(address->v6.sin6_port)
						     : 0;
}

void
address_set_port(struct address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET)
		address->v4.sin_port = htons(port);
	else if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
}

void
address_unmap(struct address *address)
{
	struct address four = { .v4 = { .sin_family = AF_INET }, .length = sizeof four.v4 };
	if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
		return;
	four.v4.sin_port = address->v6.sin6_port;
	memcpy(&four.v4.sin_addr, address->v6.sin6_addr.s6_addr + 12, sizeof four.v4.sin_addr);
	*address = four;
}

void
address_map(struct address *address)
{
	struct address six = { .v6 = { .sin6_family = AF_INET6 }, .length = sizeof six.v6 };
	if (address->any.sa_family != AF_INET)
		return;
	six.v6.sin6_port = address->v4.sin_port;
	six.v6.sin6_addr.s6_addr[10] = six.v6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(six.v6.sin6_addr.s6_addr + 12, &address->v4.sin_addr, sizeof address->v4.sin_addr);
	*address = six;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	if (a->any.sa_family == AF_INET && b->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
			a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	if (a->any.sa_family == AF_INET6 && b->any.sa_family == AF_INET6)
		return a->v6.sin6_port == b->v6.sin6_port &&
			a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
			memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
	return a->length == b->length && memcmp(&a->storage, &b->storage, a->length) == 0;
}

void
address_key(const struct address *address, struct address_key *key)
{
	uint32_t parts[6] = { address->v4.sin_addr.s_addr, address->v4.sin_port };
	const void *bytes = parts;
	key->length = 2 * sizeof parts[0];
	if (address->any.sa_family == AF_INET6) {
		parts[0] = address->v6.sin6_port;
		parts[1] = address->v6.sin6_scope_id;
		memcpy(parts + 2, &address->v6.sin6_addr, sizeof address->v6.sin6_addr);
		key->length = sizeof parts;
	} else if (address->any.sa_family != AF_INET) {
		bytes = &address->storage;
		key->length = address->length;
	}
	memcpy(key->bytes, bytes, key->length);
}

uint64_t
address_hash(const struct address *address, const struct hash_key *key)
{
	struct address_key bytes;
	address_key(address, &bytes);
	return hash_bytes(key, bytes.bytes, bytes.length);
}
