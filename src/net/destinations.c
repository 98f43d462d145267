/* Which addresses a proxy server connects to; see destinations.h. */
#include "net/destinations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "sys/sys.h"

#define DESTINATIONS_COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Networks of special addresses (IANA's registries of special-purpose addresses). */
static const struct destinations_special {
	struct cidr network;
	const char *words;
} destinations_special[] = {
	{ { .bytes = { 127 }, .size = 4, .bits = 8 }, "a loopback address" },
	{ { .bytes = { 0 }, .size = 4, .bits = 8 }, "an unspecified address" },
	{ { .bytes = { 169, 254 }, .size = 4, .bits = 16 }, "a link-local address" },
	{ { .bytes = { 224 }, .size = 4, .bits = 4 }, "a multicast address" },
	{ { .bytes = { 255, 255, 255, 255 }, .size = 4, .bits = 32 }, "a broadcast address" },
	{ { .bytes = { [15] = 1 }, .size = 16, .bits = 128 }, "a loopback address" },
	/* "::", and the deprecated IPv4-compatible addresses. */
	{ { .bytes = { 0 }, .size = 16, .bits = 96 }, "an unspecified address" },
	{ { .bytes = { 0xfe, 0x80 }, .size = 16, .bits = 10 }, "a link-local address" },
	{ { .bytes = { 0xff }, .size = 16, .bits = 8 }, "a multicast address" },
};

/* The translation of IPv4 addresses (RFC 6052): their last 32 bits. */
static const struct cidr destinations_nat64 = {
	.bytes = { 0, 0x64, 0xff, 0x9b }, .size = 16, .bits = 96
};

/* --- entries --- */

static bool
destinations_fault(const char *text, const char *cause, struct fault *fault)
{
	return fault_set(fault, STATUS_VALUE, 0, "invalid destination '%s': %s", text, cause);
}

/* Cuts the port off, which follows the last colon outside of brackets; NULL: there is none. */
static char *
destinations_cut_port(char *entry)
{
	char *bracket = strchr(entry, ']');
	char *colon = strchr(bracket != NULL ? bracket : entry, ':');
	if (colon == NULL || (bracket == NULL && strchr(colon + 1, ':') != NULL))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* Sets the ports: one, or FIRST-LAST. */
static bool
destinations_set_ports(
	struct destination *destination, char *port, const char *text, struct fault *fault)
{
	const struct transport *tcp = transport_find(TRANSPORT_INET, false, false, -1);
	struct endpoint first = { .names = TRANSPORT_INET };
	uint64_t last;
	char *dash = strchr(port, '-');
	if (dash != NULL && strspn(port, "0123456789-") == strlen(port)) {
		*dash = '\0';
		if (parse_count(dash + 1, UINT16_MAX, &last) != PARSE_OK)
			return destinations_fault(text, "expected a range of ports", fault);
	}
	if (!endpoint_set_port(&first, port, tcp, fault))
		return false;
	destination->first = destination->last = (uint16_t)first.port;
	if (dash != NULL && *dash == '\0')
		destination->last = (uint16_t)last;
	return (destination->first > 0 && destination->first <= destination->last) ||
		destinations_fault(text, "expected ports from 1 to 65535", fault);
}

static bool
destinations_append(
	struct destinations_list *to, const struct destination *destination, struct fault *fault)
{
	struct destination *list = realloc(to->list, (to->count + 1) * sizeof *list);
	if (list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "list of destinations");
	to->list = list;
	list[to->count++] = *destination;
	return true;
}

/* Adds an entry, which is modified. `text`: the same, for messages. */
static bool
destinations_add_one(
	struct destinations_list *to, char *entry, const char *text, struct fault *fault)
{
	struct destination destination = { .first = 1, .last = UINT16_MAX };
	char *port = destinations_cut_port(entry);
	size_t length = strlen(entry);
	if (port != NULL && !destinations_set_ports(&destination, port, text, fault))
		return false;
	if (strcmp(entry, "*") == 0) {
		destination.network = (struct cidr){ .size = 4 };
		if (!destinations_append(to, &destination, fault))
			return false;
		destination.network.size = 16;
		return destinations_append(to, &destination, fault);
	}
	/* The brackets may be around the prefix length. */
	if (length > 2 && entry[0] == '[' && entry[length - 1] == ']' &&
		strchr(entry, '/') != NULL) {
		entry[length - 1] = '\0';
		entry++;
	}
	switch (cidr_parse(&destination.network, entry, false, fault)) {
	case CIDR_NETWORK:
		return destinations_append(to, &destination, fault);
	case CIDR_NAME:
		return destinations_fault(
			text, "expected an address or a network, not a name", fault);
	case CIDR_BAD:
		break;
	}
	return false;
}

bool
destinations_add(struct destinations *destinations, enum destinations_kind kind, const char *text,
	struct fault *fault)
{
	bool good = true;
	while (good) {
		size_t n = strcspn(text, ",");
		char *entry = strndup(text, n), *shown = strndup(text, n);
		good = entry != NULL && shown != NULL
			? destinations_add_one(&destinations->lists[kind], entry, shown, fault)
			: fault_set(fault, STATUS_MEMORY, ENOMEM, "list of destinations");
		free(entry);
		free(shown);
		if (text[n] == '\0')
			break;
		text += n + 1;
	}
	return good;
}

void
destinations_close(struct destinations *destinations)
{
	for (int i = 0; i < DESTINATIONS_KINDS; i++)
		free(destinations->lists[i].list);
	*destinations = (struct destinations){ .lists = { { .list = NULL } } };
}

/* --- checking addresses --- */

static const struct destinations_special *
destinations_find_special(const struct cidr *to)
{
	for (size_t i = 0; i < DESTINATIONS_COUNT(destinations_special); i++)
		if (cidr_contains(&destinations_special[i].network, to))
			return &destinations_special[i];
	return NULL;
}

/* The IPv4 address that a translator connects to for this one; any other one is returned as it
 * is. */
static struct address
destinations_translate(const struct address *to)
{
	struct address inner = { .v4 = { .sin_family = AF_INET }, .length = sizeof inner.v4 };
	struct cidr network;
	if (!cidr_from(&network, to) || !cidr_contains(&destinations_nat64, &network))
		return *to;
	memcpy(&inner.v4.sin_addr, network.bytes + 12, 4);
	address_set_port(&inner, address_port(to));
	return inner;
}

/* Whether the address is one of this host: a socket can be bound to it. */
static bool
destinations_is_own(const struct address *to)
{
	struct address local = *to;
	int fd = sys_socket(to->any.sa_family, SOCK_DGRAM, 0);
	address_set_port(&local, 0);
	bool own = fd != -1 && bind(fd, &local.any, local.length) == 0;
	/* Without a descriptor it is not known. */
	own |= fd == -1;
	(void)sys_close(&fd);
	return own;
}

/* Whether the entry allows an address that is refused by default. */
static bool
destinations_names(const struct destination *entry, const struct destinations_special *special)
{
	return special != NULL ? cidr_contains(&special->network, &entry->network)
			       : entry->network.bits == 8 * entry->network.size;
}

/* Whether an entry of the list has the address; of addresses refused by default, names it. */
static bool
destinations_has(const struct destinations_list *list, const struct cidr *to, uint16_t port,
	bool refused, const struct destinations_special *special)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct destination *entry = &list->list[i];
		if (port >= entry->first && port <= entry->last &&
			cidr_contains(&entry->network, to) &&
			(!refused || destinations_names(entry, special)))
			return true;
	}
	return false;
}

const char *
destinations_refuse(
	const struct destinations *destinations, const struct address *to, uint16_t own_port)
{
	const struct destinations_list *allowed = &destinations->lists[DESTINATIONS_ALLOW];
	const struct destinations_list *denied = &destinations->lists[DESTINATIONS_DENY];
	const struct address translated = destinations_translate(to);
	uint16_t port = address_port(to);
	struct cidr network, inner;
	if (!cidr_from(&network, to) || !cidr_from(&inner, &translated))
		return "not an address of IPv4 or IPv6";
	if (destinations_has(denied, &network, port, false, NULL) ||
		destinations_has(denied, &inner, port, false, NULL))
		return "denied by --deny-dest";
	const struct destinations_special *special = destinations_find_special(&inner);
	bool own = destinations_is_own(to) ||
		(inner.size != network.size && destinations_is_own(&translated));
	if (own && port == own_port)
		return "the port of this proxy server";
	if (destinations_has(allowed, &network, port, own || special != NULL, special))
		return NULL;
	if (special != NULL)
		return special->words;
	if (own)
		return "an address of this host";
	return allowed->count > 0 ? "not in --allow-dest" : NULL;
}
