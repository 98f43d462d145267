/*
 * Fuzzes the results of a resolver: an error, or addresses of any family and length, with
 * duplicates. The stored addresses are bounded, without duplicates, in the resolver's order within
 * each family, alternate between families, and have the endpoint's port.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve.h"

#define RESOLVE_FUZZ_MOST 160
#define RESOLVE_FUZZ_PORT 8080

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **found);
void __wrap_freeaddrinfo(struct addrinfo *found);

static struct addrinfo resolve_fuzz_entries[RESOLVE_FUZZ_MOST];
static struct sockaddr_storage resolve_fuzz_addresses[RESOLVE_FUZZ_MOST];
static size_t resolve_fuzz_count;
static int resolve_fuzz_result;

int
__wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **found)
{
	(void)host, (void)service, (void)hints;
	if (resolve_fuzz_result == 0 && resolve_fuzz_count > 0)
		*found = resolve_fuzz_entries;
	return resolve_fuzz_result;
}

void
__wrap_freeaddrinfo(struct addrinfo *found)
{
	if (found != resolve_fuzz_entries)
		abort();
}

/* Adds an entry, from one byte for its kind and one for its address. */
static void
resolve_fuzz_add(uint8_t kind, uint8_t number)
{
	struct sockaddr_storage *address = &resolve_fuzz_addresses[resolve_fuzz_count];
	struct addrinfo *entry = &resolve_fuzz_entries[resolve_fuzz_count];
	memset(address, 0, sizeof *address);
	*entry = (struct addrinfo){ .ai_addr = (struct sockaddr *)address };
	if (kind % 4 == 0) {
		struct sockaddr_in *in = (struct sockaddr_in *)address;
		in->sin_addr.s_addr = htonl(0x7f000000u + number);
		entry->ai_family = AF_INET;
		entry->ai_addrlen = sizeof *in;
	} else {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)address;
		in->sin6_addr.s6_addr[15] = number;
		in->sin6_scope_id = kind >> 6;
		entry->ai_family = kind % 4 == 3 ? AF_UNIX : AF_INET6;
		entry->ai_addrlen = sizeof *in;
	}
	address->ss_family = (sa_family_t)entry->ai_family;
	/* Longer than any address. */
	if (kind % 16 == 15)
		entry->ai_addrlen = sizeof *address + 1;
	if (resolve_fuzz_count > 0)
		resolve_fuzz_entries[resolve_fuzz_count - 1].ai_next = entry;
	resolve_fuzz_count++;
}

/* The entry of an address, at or after `from`; RESOLVE_FUZZ_MOST: none. */
static size_t
resolve_fuzz_origin(const struct address *address)
{
	for (size_t i = 0; i < resolve_fuzz_count; i++) {
		struct address one = { .length = resolve_fuzz_entries[i].ai_addrlen };
		if (one.length > sizeof one.storage)
			continue;
		memcpy(&one.storage, &resolve_fuzz_addresses[i], one.length);
		address_set_port(&one, RESOLVE_FUZZ_PORT);
		if (one.length == address->length &&
			memcmp(&one.storage, &address->storage, one.length) == 0)
			return i;
	}
	return RESOLVE_FUZZ_MOST;
}

static void
resolve_fuzz_check(const struct resolve *resolve)
{
	size_t last[3] = { 0, 0, 0 }, left[3] = { 0, 0, 0 };
	if (resolve->count > RESOLVE_MAX || resolve->count + resolve->left_out > resolve_fuzz_count)
		abort();
	for (size_t i = 0; i < resolve->count; i++) {
		size_t origin = resolve_fuzz_origin(&resolve->addresses[i]);
		if (origin == RESOLVE_FUZZ_MOST)
			abort();
		for (size_t j = 0; j < i; j++)
			if (address_equal(&resolve->addresses[i], &resolve->addresses[j]))
				abort();
		/* Of the first entry's family and of the others, each in order. */
		size_t kind =
			resolve_fuzz_entries[origin].ai_family != resolve_fuzz_entries[0].ai_family;
		if (left[kind] > 0 && origin < last[kind])
			abort();
		last[kind] = origin;
		left[kind]++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const int results[] = { 0, 0, 0, 0, 0, EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY,
		EAI_SYSTEM, EAI_FAMILY, -9999, 1 };
	struct endpoint endpoint = { .names = TRANSPORT_INET,
		.host = "127.0.0.1",
		.numeric = true,
		.port = RESOLVE_FUZZ_PORT };
	struct resolve resolve;
	struct fault fault = FAULT_NONE;
	if (n < 1)
		return 0;
	resolve_fuzz_result = results[bytes[0] % (sizeof results / sizeof results[0])];
	resolve_fuzz_count = 0;
	for (size_t i = 1; i + 1 < n && resolve_fuzz_count < RESOLVE_FUZZ_MOST; i += 2)
		resolve_fuzz_add(bytes[i], bytes[i + 1]);
	enum io done = resolve_start(&resolve, &endpoint, &fault);
	if ((done == IO_OK) == fault_is_set(&fault) || (done != IO_OK && done != IO_FAIL) ||
		(done == IO_OK && (resolve_fuzz_result != 0 || resolve.count == 0)) ||
		(done == IO_FAIL && fault.status != STATUS_RESOLVE &&
			fault.status != STATUS_MEMORY))
		abort();
	if (done == IO_OK)
		resolve_fuzz_check(&resolve);
	fault_clear(&fault);
	resolve_close(&resolve);
	return 0;
}
