/* Addresses of hosts; see hosts.h. */
#include "net/hosts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

#define HOSTS_ANY "*"
#define HOSTS_LOCAL "localhost"

static bool
hosts_fault(const char *text, const char *cause, struct fault *fault)
{
	return fault_set(
		fault, STATUS_VALUE, 0, "invalid --resolve '%s': %s", endpoint_public(text), cause);
}

/* Sets the fault to a cause, which is cleared, with the whole text. */
static bool
hosts_fault_in(const char *text, struct fault *cause, struct fault *fault)
{
	(void)fault_set(fault, cause->status, 0, "invalid --resolve '%s': %s",
		endpoint_public(text), cause->text != NULL ? cause->text : "");
	fault_clear(cause);
	return false;
}

/* Cuts off the part up to the separator, which is replaced; NULL: it is not there. */
static char *
hosts_cut(char **rest, char separator)
{
	char *part = *rest, *end = strchr(part, separator);
	if (end == NULL)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return part;
}

/* Whether this is a name to look up, or stands for all of them. */
static bool
hosts_check_host(const char *text, char *host, struct fault *fault)
{
	struct endpoint endpoint = { .names = TRANSPORT_INET };
	struct fault cause = FAULT_NONE;
	if (strcmp(host, HOSTS_ANY) == 0)
		return true;
	if (!endpoint_set_host(&endpoint, host, false, &cause))
		return hosts_fault_in(text, &cause, fault);
	return !endpoint.numeric ||
		hosts_fault(text, "the host is an address, which is not looked up", fault);
}

/* Adds an address in text form. */
static bool
hosts_add_address(struct hosts_entry *entry, char *address, struct fault *fault)
{
	struct endpoint endpoint = { .names = TRANSPORT_INET, .port = entry->port };
	struct resolve one = { .fd = -1 };
	bool good = endpoint_set_host(&endpoint, address, true, fault) &&
		resolve_start(&one, &endpoint, fault) == IO_OK;
	/* Skip duplicate addresses. */
	for (size_t i = 0; good && i < entry->found.count; i++)
		if (address_equal(&entry->found.addresses[i], &one.addresses[0]))
			goto done;
	if (good)
		entry->found.addresses[entry->found.count++] = one.addresses[0];
done:
	resolve_close(&one);
	return good;
}

/* Adds the addresses of the list. */
static bool
hosts_add_list(struct hosts_entry *entry, const char *text, char *list, struct fault *fault)
{
	struct fault cause = FAULT_NONE;
	entry->found.addresses = calloc(RESOLVE_MAX, sizeof *entry->found.addresses);
	if (entry->found.addresses == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--resolve");
	while (list != NULL) {
		char *next = list, *address = hosts_cut(&next, ',');
		if (entry->found.count == RESOLVE_MAX)
			return hosts_fault(text, "more than 64 addresses", fault);
		if (!hosts_add_address(entry, address != NULL ? address : list, &cause))
			return hosts_fault_in(text, &cause, fault);
		list = address != NULL ? next : NULL;
	}
	return true;
}

/* Parses the parts of a copy of the text. */
static bool
hosts_parse(struct hosts_entry *entry, const char *text, char *copy, struct fault *fault)
{
	uint64_t number;
	char *rest = copy;
	const char *host = hosts_cut(&rest, ':');
	const char *port = host != NULL ? hosts_cut(&rest, ':') : NULL;
	if (port == NULL || rest[0] == '\0')
		return hosts_fault(text, "expected HOST:PORT:ADDR[,ADDR...]", fault);
	if (!hosts_check_host(text, copy, fault))
		return false;
	if (parse_count(port, UINT16_MAX, &number) != PARSE_OK)
		return hosts_fault(text, "expected a port from 0 to 65535", fault);
	entry->port = (uint16_t)number;
	entry->host = strdup(copy);
	if (entry->host == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--resolve");
	return hosts_add_list(entry, text, rest, fault);
}

bool
hosts_add(struct hosts *hosts, const char *text, struct fault *fault)
{
	struct hosts_entry *list = realloc(hosts->list, (hosts->count + 1) * sizeof *list);
	if (list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--resolve");
	hosts->list = list;
	list[hosts->count] = (struct hosts_entry){ .found = { .fd = -1 } };
	char *copy = strdup(text);
	if (copy == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--resolve");
	bool good = hosts_parse(&list[hosts->count++], text, copy, fault);
	free(copy);
	return good;
}

/* Whether the endpoint has a name that is looked up. */
static bool
hosts_applies(const struct endpoint *endpoint)
{
	return endpoint->names == TRANSPORT_INET && endpoint->host != NULL && !endpoint->numeric;
}

/* Whether there is an entry for the name, or one for all. */
static bool
hosts_list(const struct hosts *hosts, const char *host)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (strcasecmp(hosts->list[i].host, host) == 0 ||
			strcmp(hosts->list[i].host, HOSTS_ANY) == 0)
			return true;
	return false;
}

bool
hosts_know(const struct hosts *hosts, const struct endpoint *endpoint)
{
	return hosts != NULL && hosts_applies(endpoint) && hosts_list(hosts, endpoint->host);
}

bool
hosts_refuse(const struct hosts *hosts, const char *host)
{
	return hosts != NULL && hosts->only && !hosts_list(hosts, host);
}

const struct resolve *
hosts_find(const struct hosts *hosts, const struct endpoint *endpoint)
{
	const struct resolve *any = NULL;
	if (hosts == NULL || !hosts_applies(endpoint))
		return NULL;
	for (size_t i = hosts->count; i-- > 0;) {
		const struct hosts_entry *entry = &hosts->list[i];
		if (entry->port != endpoint->port)
			continue;
		if (strcasecmp(entry->host, endpoint->host) == 0)
			return &entry->found;
		if (any == NULL && strcmp(entry->host, HOSTS_ANY) == 0)
			any = &entry->found;
	}
	return any;
}

enum io
hosts_resolve(const struct hosts *hosts, struct resolve *resolve, const struct endpoint *endpoint,
	struct fault *fault)
{
	const struct resolve *found = hosts_find(hosts, endpoint);
	/* Without a host a listener that runs programs has the name HOSTS_LOCAL. */
	if (found == NULL && hosts_know(hosts, endpoint) && hosts->only &&
		strcmp(endpoint->host, HOSTS_LOCAL) != 0)
		return IO_FAULT(fault, resolve_status(endpoint), 0,
			"resolve %s%s: no address for port %" PRIu32
			" in --resolve, and -n is given",
			endpoint_role(endpoint), endpoint->host, endpoint->port);
	if (found == NULL)
		return resolve_start(resolve, endpoint, fault);
	if (resolve_again(resolve, found, (uint16_t)endpoint->port, fault) != IO_OK)
		return IO_FAIL;
	size_t kept = 0;
	resolve->given = true;
	for (size_t i = 0; i < resolve->count; i++)
		if (endpoint->family == AF_UNSPEC ||
			endpoint->family == resolve->addresses[i].any.sa_family)
			resolve->addresses[kept++] = resolve->addresses[i];
	resolve->count = kept;
	if (kept > 0)
		return IO_OK;
	return IO_FAULT(fault, resolve_status(endpoint), 0,
		"resolve %s%s: no IPv%d address in --resolve", endpoint_role(endpoint),
		endpoint->host, endpoint->family == AF_INET ? 4 : 6);
}

void
hosts_close(struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		free(hosts->list[i].host);
		resolve_close(&hosts->list[i].found);
	}
	free(hosts->list);
	*hosts = (struct hosts){ .list = NULL };
}
