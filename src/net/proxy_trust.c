/* Proxies that are trusted; see proxy_trust.h. */
#include "net/proxy_trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The word for Unix sockets. */
#define PROXY_TRUST_UNIX "unix"

static bool
proxy_trust_add_network(struct proxy_trust *trust, const struct cidr *network, struct fault *fault)
{
	struct cidr *list = realloc(trust->list, (trust->count + 1) * sizeof *list);
	if (list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy-from");
	list[trust->count++] = *network;
	trust->list = list;
	return true;
}

/* Adds an entry, which is modified. */
static bool
proxy_trust_add_one(struct proxy_trust *trust, char *entry, struct fault *fault)
{
	struct cidr network;
	if (strcmp(entry, PROXY_TRUST_UNIX) == 0) {
		trust->local = true;
		return true;
	}
	return cidr_parse(&network, entry, true, fault) == CIDR_NETWORK &&
		proxy_trust_add_network(trust, &network, fault);
}

bool
proxy_trust_add(struct proxy_trust *trust, const char *text, struct fault *fault)
{
	char *copy = strdup(text), *entry = copy;
	bool good = copy != NULL || fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy-from");
	trust->given = true;
	while (good && entry != NULL) {
		char *comma = strchr(entry, ',');
		if (comma != NULL)
			*comma++ = '\0';
		good = proxy_trust_add_one(trust, entry, fault);
		entry = comma;
	}
	free(copy);
	return good;
}

bool
proxy_trust_contains(const struct proxy_trust *trust, const struct address *peer)
{
	struct cidr address;
	if (peer->length == 0 || peer->any.sa_family == AF_UNIX)
		return trust->local || !trust->given;
	if (!cidr_from(&address, peer))
		return false;
	for (size_t i = 0; i < trust->count; i++)
		if (cidr_contains(&trust->list[i], &address))
			return true;
	return !trust->given && cidr_is_loopback(&address);
}

void
proxy_trust_close(struct proxy_trust *trust)
{
	free(trust->list);
	*trust = (struct proxy_trust){ .list = NULL };
}
