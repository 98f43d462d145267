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

/* Names that mean the host that resolves them (RFC 6761, 6.3), and those of its file of hosts. */
static const char *const destinations_names_of_loopback[] = { "localhost", "localhost.localdomain",
	"localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback" };

/* IPv6 addresses that contain an IPv4 address, which a translator or a tunnel sends to. */
static const struct destinations_embedding {
	struct cidr network;
	unsigned char at[4]; /* where the bytes of the IPv4 address are */
	unsigned char mask;  /* is XORed with each of them */
	bool any;            /* other forms are possible, in which 0.0.0.0/8 means nothing */
} destinations_embedded[] = {
	/* NAT64 (RFC 6052, 2.1). */
	{ { .bytes = { 0, 0x64, 0xff, 0x9b }, .size = 16, .bits = 96 }, { 12, 13, 14, 15 }, 0,
		false },
	/* The same for local use (RFC 8215), with a prefix of each length (RFC 6052, 2.2). */
	{ { .bytes = { 0, 0x64, 0xff, 0x9b, 0, 1 }, .size = 16, .bits = 48 }, { 12, 13, 14, 15 }, 0,
		true },
	{ { .bytes = { 0, 0x64, 0xff, 0x9b, 0, 1 }, .size = 16, .bits = 48 }, { 9, 10, 11, 12 }, 0,
		true },
	{ { .bytes = { 0, 0x64, 0xff, 0x9b, 0, 1 }, .size = 16, .bits = 48 }, { 7, 9, 10, 11 }, 0,
		true },
	{ { .bytes = { 0, 0x64, 0xff, 0x9b, 0, 1 }, .size = 16, .bits = 48 }, { 6, 7, 9, 10 }, 0,
		true },
	/* 6to4 (RFC 3056). */
	{ { .bytes = { 0x20, 0x02 }, .size = 16, .bits = 16 }, { 2, 3, 4, 5 }, 0, false },
	/* Teredo (RFC 4380, 4): the server, and the client. */
	{ { .bytes = { 0x20, 0x01 }, .size = 16, .bits = 32 }, { 4, 5, 6, 7 }, 0, false },
	{ { .bytes = { 0x20, 0x01 }, .size = 16, .bits = 32 }, { 12, 13, 14, 15 }, 0xff, false },
	/* IPv4-translated addresses (RFC 2765, 2.1). */
	{ { .bytes = { [8] = 0xff, 0xff }, .size = 16, .bits = 96 }, { 12, 13, 14, 15 }, 0, false },
	/* IPv4-compatible addresses, among which are "::" and "::1" (RFC 4291, 2.5.5.1). */
	{ { .bytes = { 0 }, .size = 16, .bits = 96 }, { 12, 13, 14, 15 }, 0, true },
};

/* The most forms of an address: itself, and those that it may contain. */
#define DESTINATIONS_FORMS 5

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

/* An address that data may get to. */
struct destinations_form {
	struct address address;
	struct cidr network;
};

/* Sets the address, and the IPv4 addresses that it contains; returns their number. 0: it is of
 * another family. */
static size_t
destinations_find_forms(
	const struct address *to, struct destinations_form forms[static DESTINATIONS_FORMS])
{
	size_t count = 0;
	forms[0].address = *to;
	if (!cidr_from(&forms[count++].network, to))
		return 0;
	const struct cidr *outer = &forms[0].network;
	for (size_t i = 0; i < DESTINATIONS_COUNT(destinations_embedded); i++) {
		const struct destinations_embedding *embedding = &destinations_embedded[i];
		unsigned char inner[4];
		for (size_t j = 0; j < sizeof inner; j++)
			inner[j] = outer->bytes[embedding->at[j]] ^ embedding->mask;
		if (!cidr_contains(&embedding->network, outer) || (embedding->any && inner[0] == 0))
			continue;
		struct destinations_form *form = &forms[count++];
		form->address = (struct address){ .v4 = { .sin_family = AF_INET },
			.length = sizeof form->address.v4 };
		memcpy(&form->address.v4.sin_addr, inner, sizeof inner);
		address_set_port(&form->address, address_port(to));
		(void)cidr_from(&form->network, &form->address);
	}
	return count;
}

/* Whether one of the addresses is of this host: a socket can be bound to it. */
static bool
destinations_is_own(const struct destinations_form *forms, size_t count)
{
	bool own = false;
	for (size_t i = 0; i < count && !own; i++) {
		struct address local = forms[i].address;
		int fd = sys_socket(local.any.sa_family, SOCK_DGRAM, 0);
		address_set_port(&local, 0);
		/* Without a descriptor it is not known. */
		own = fd == -1 || bind(fd, &local.any, local.length) == 0;
		(void)sys_close(&fd);
	}
	return own;
}

/* Whether the entry allows an address that is refused by default. `special`: why it is refused;
 * NULL: as an address of this host. */
static bool
destinations_names(const struct destination *entry, const struct destinations_special *special)
{
	return entry->network.bits == 8 * entry->network.size ||
		(special != NULL && cidr_contains(&special->network, &entry->network));
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
	struct destinations_form forms[DESTINATIONS_FORMS];
	const struct cidr *network = &forms[0].network;
	const struct destinations_special *special = NULL;
	size_t count = destinations_find_forms(to, forms);
	uint16_t port = address_port(to);
	if (count == 0)
		return "not an address of IPv4 or IPv6";
	for (size_t i = 0; i < count; i++) {
		if (destinations_has(denied, &forms[i].network, port, false, NULL))
			return "denied by --deny-dest";
	}
	if (port == own_port && destinations_is_own(forms, count))
		return "the port of this proxy server";
	for (size_t i = 0; i < count; i++) {
		const struct destinations_special *found =
			destinations_find_special(&forms[i].network);
		if (found != NULL && !destinations_has(allowed, network, port, true, found))
			return found->words;
		special = special != NULL ? special : found;
	}
	if (special == NULL && !destinations_has(allowed, network, port, true, NULL) &&
		destinations_is_own(forms, count))
		return "an address of this host";
	return allowed->count > 0 && !destinations_has(allowed, network, port, false, NULL)
		? "not in --allow-dest"
		: NULL;
}

const char *
destinations_refuse_name(const struct destinations *destinations, const char *name)
{
	for (size_t i = 0; i < DESTINATIONS_COUNT(destinations_names_of_loopback); i++)
		if (endpoint_is_below(name, destinations_names_of_loopback[i]))
			return "a name of loopback addresses";
	return destinations->lists[DESTINATIONS_ALLOW].count > 0 ||
			destinations->lists[DESTINATIONS_DENY].count > 0
		? "a name, which the proxy resolves (--proxy-dns=local)"
		: NULL;
}
