/*
 * Fuzzes addresses: those that the kernel returns for inherited sockets and peers, of any family
 * and length, the path in NOTIFY_SOCKET, and the environment made from them. Bytes after the length
 * of an address have no effect, and a valid path is printed unchanged.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "net/endpoint.h"
#include "program/child_env.h"

#define ADDRESS_FUZZ_WORDS 16

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* An address as the kernel may store it, over memory filled with `fill`. Returns the number of
 * bytes used. */
static size_t
address_fuzz_make(struct address *address, const uint8_t *bytes, size_t n, unsigned char fill)
{
	static const sa_family_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_VSOCK, AF_NETLINK };
	memset(address, fill, sizeof *address);
	address->length = 0;
	if (n < 2)
		return n;
	sa_family_t family = families[bytes[0] % 5];
	size_t length = family == AF_UNIX ? offsetof(struct sockaddr_un, sun_path) +
			bytes[1] % (sizeof(struct sockaddr_un) - sizeof(sa_family_t) + 1)
		: family == AF_INET  ? sizeof(struct sockaddr_in)
		: family == AF_INET6 ? sizeof(struct sockaddr_in6)
				     : 16;
	size_t take = n - 2 < length - sizeof family ? n - 2 : length - sizeof family;
	memset(&address->storage, 0, length);
	memcpy((char *)&address->storage + sizeof family, bytes + 2, take);
	address->storage.ss_family = family;
	address->length = (socklen_t)length;
	return 2 + take;
}

static void
address_fuzz_compare(const struct address *first, const struct address *second)
{
	const struct hash_key key = { 0 };
	char *shown = address_print(first), *other = address_print(second);
	if (shown == NULL || other == NULL || strcmp(shown, other) != 0)
		abort();
	if (!address_equal(first, second) || address_port(first) != address_port(second) ||
		address_hash(first, &key) != address_hash(second, &key))
		abort();
	free(shown);
	free(other);
}

/* NOTIFY_SOCKET, or the operand of -U. */
static void
address_fuzz_path(const char *text)
{
	struct endpoint endpoint = { .names = TRANSPORT_UNIX };
	struct fault fault = FAULT_NONE;
	struct address address;
	bool good = endpoint_set_path(&endpoint, text, &fault);
	if (good == fault_is_set(&fault) || (!good && fault.status != STATUS_VALUE))
		abort();
	fault_clear(&fault);
	if (!good)
		return;
	if (!endpoint_address(&endpoint, &address) || address.length > sizeof(struct sockaddr_un))
		abort();
	char *shown = address_print(&address);
	if (shown == NULL || strcmp(shown, text) != 0)
		abort();
	free(shown);
}

/* The environment of a program: each of sockcat's names once, and otherwise only inherited
 * variables. */
static void
address_fuzz_environment(
	char *const *words, bool clear, const struct address *own, const struct address *peer)
{
	struct sys_credentials from = { .user = SYS_NO_USER };
	char **made = child_env_make(words, clear, "tcp", own, peer, &from, NULL);
	size_t ours = 0;
	if (made == NULL)
		abort();
	for (size_t i = 0; made[i] != NULL; i++) {
		bool known =
			strncmp(made[i], "SOCKCAT_", 8) == 0 || strncmp(made[i], "NCAT_", 5) == 0;
		ours += strncmp(made[i], "SOCKCAT_PROTO=", 14) == 0 ||
			strncmp(made[i], "NCAT_PROTO=", 11) == 0;
		for (size_t j = 0; words[j] != NULL && !known; j++)
			known = strcmp(words[j], made[i]) == 0;
		if (!known)
			abort();
	}
	if (ours != 2)
		abort();
	child_env_free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct address own, peer, again;
	char *words[ADDRESS_FUZZ_WORDS + 1] = { NULL };
	size_t count = 0;
	(void)address_fuzz_make(&again, bytes, n, 0xa5);
	size_t used = address_fuzz_make(&own, bytes, n, 0);
	address_fuzz_compare(&own, &again);
	used += address_fuzz_make(&peer, bytes + used, n - used, 0xff);
	char *text = malloc(n - used + 1);
	if (text == NULL)
		abort();
	memcpy(text, bytes + used, n - used);
	text[n - used] = '\0';
	address_fuzz_path(text);
	for (size_t at = 0; at < n - used && count < ADDRESS_FUZZ_WORDS;
		at += strlen(text + at) + 1)
		words[count++] = text + at;
	address_fuzz_environment(words, n % 2 == 0, &own, &peer);
	free(text);
	return 0;
}
