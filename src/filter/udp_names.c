/* Names to which datagrams are sent; see udp_names.h. */
#include "filter/udp_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* How long an address is used, and how long a name that does not resolve is not looked up again. */
#define UDP_NAMES_KEPT (60 * CLOCK_SECOND)
#define UDP_NAMES_UNKNOWN (5 * CLOCK_SECOND)

/* How long datagrams wait for a look-up. */
#define UDP_NAMES_WAIT (5 * CLOCK_SECOND)

static size_t
udp_names_weight(const struct udp_names_datagram *datagram)
{
	return sizeof *datagram + datagram->length;
}

/* Removes the first datagram that waits for the name. */
static struct udp_names_datagram *
udp_names_next(struct udp_names *names, struct udp_name *name)
{
	struct udp_names_datagram *datagram = name->first;
	if (datagram == NULL)
		return NULL;
	name->first = datagram->next;
	if (name->first == NULL)
		name->last = NULL;
	names->waiting -= udp_names_weight(datagram);
	return datagram;
}

static void
udp_names_forget(struct udp_name *name)
{
	resolve_close(&name->resolve);
	fault_clear(&name->fault);
	free((char *)(uintptr_t)name->endpoint.host);
	*name = (struct udp_name){ .resolve = { .fd = -1 } };
}

/* The result is there, at once or later. */
static void
udp_names_finish(struct udp_name *name, enum io result, int64_t now)
{
	name->pending = result == IO_AGAIN;
	name->until = clock_after(now,
		result == IO_OK              ? UDP_NAMES_KEPT
			: result == IO_AGAIN ? UDP_NAMES_WAIT
					     : UDP_NAMES_UNKNOWN);
}

/* The place of the name; NULL: it has none. A result that is too old is forgotten. */
static struct udp_name *
udp_names_find(struct udp_names *names, const struct socks_udp *header, int64_t now)
{
	for (size_t i = 0; i < UDP_NAMES_MAX; i++) {
		struct udp_name *name = &names->list[i];
		const char *host = name->endpoint.host;
		if (host == NULL)
			continue;
		if (!name->pending && name->first == NULL && now >= name->until)
			udp_names_forget(name);
		else if (name->endpoint.port == header->port &&
			strlen(host) == header->name_length &&
			memcmp(host, header->name, header->name_length) == 0)
			return name;
	}
	return NULL;
}

/* A place for one more: a free one, or that of the oldest result; NULL: there is none. */
static struct udp_name *
udp_names_place(struct udp_names *names)
{
	struct udp_name *oldest = NULL;
	size_t pending = 0;
	for (size_t i = 0; i < UDP_NAMES_MAX; i++) {
		struct udp_name *name = &names->list[i];
		pending += name->pending;
		if (name->endpoint.host == NULL)
			oldest = name;
		else if (!name->pending && name->first == NULL &&
			(oldest == NULL ||
				(oldest->endpoint.host != NULL && name->until < oldest->until)))
			oldest = name;
	}
	if (pending >= UDP_NAMES_LOOKUPS || oldest == NULL)
		return NULL;
	if (oldest->endpoint.host != NULL)
		udp_names_forget(oldest);
	return oldest;
}

/* Starts to look a name up; NULL: *cause says why not. */
static struct udp_name *
udp_names_start(
	struct udp_names *names, const struct socks_udp *header, int64_t now, const char **cause)
{
	struct fault fault = FAULT_NONE;
	struct endpoint endpoint = { .names = TRANSPORT_INET, .port = header->port };
	char *host = strndup(header->name, header->name_length);
	/* An interface may not be chosen by a client. */
	bool good = host != NULL && strchr(host, '%') == NULL &&
		endpoint_set_host(&endpoint, host, names->numeric, &fault);
	struct udp_name *name = good ? udp_names_place(names) : NULL;
	fault_clear(&fault);
	if (name == NULL) {
		*cause = good            ? "too many look-ups at a time"
			: names->numeric ? "names of targets are not resolved (-n)"
					 : "it is not a name or an address";
		free(host);
		return NULL;
	}
	name->endpoint = endpoint;
	udp_names_finish(
		name, hosts_resolve(names->hosts, &name->resolve, &endpoint, &name->fault), now);
	return name;
}

enum udp_names_result
udp_names_put(struct udp_names *names, const struct socks_udp *header, const struct iovec *datagram,
	int64_t now, const struct udp_name **found, const char **cause)
{
	struct udp_name *name = udp_names_find(names, header, now);
	if (name == NULL)
		name = udp_names_start(names, header, now, cause);
	if (name == NULL)
		return UDP_NAMES_REFUSED;
	*found = name;
	/* Those that wait are sent first. */
	if (!name->pending && name->first == NULL)
		return UDP_NAMES_KNOWN;
	size_t weight = sizeof(struct udp_names_datagram) + datagram->iov_len;
	struct udp_names_datagram *copy =
		names->waiting + weight <= UDP_NAMES_QUEUE ? malloc(weight) : NULL;
	if (copy == NULL) {
		*cause = "too many datagrams wait for look-ups";
		return UDP_NAMES_REFUSED;
	}
	*copy = (struct udp_names_datagram){ .length = datagram->iov_len };
	memcpy(copy->bytes, datagram->iov_base, datagram->iov_len);
	*(name->last != NULL ? &name->last->next : &name->first) = copy;
	name->last = copy;
	names->waiting += weight;
	return UDP_NAMES_WAITING;
}

struct udp_names_datagram *
udp_names_take(struct udp_names *names, int64_t now, const struct udp_name **found)
{
	for (size_t i = 0; i < UDP_NAMES_MAX; i++) {
		struct udp_name *name = &names->list[i];
		if (name->pending) {
			enum io result =
				resolve_look(&name->resolve, &name->endpoint, &name->fault);
			if (result != IO_AGAIN)
				udp_names_finish(name, result, now);
		}
		*found = name;
		if (name->first != NULL && (!name->pending || now >= name->until))
			return udp_names_next(names, name);
	}
	return NULL;
}

void
udp_names_close(struct udp_names *names)
{
	for (size_t i = 0; i < UDP_NAMES_MAX; i++) {
		struct udp_name *name = &names->list[i];
		for (struct udp_names_datagram *datagram;
			(datagram = udp_names_next(names, name)) != NULL;)
			free(datagram);
		if (name->endpoint.host != NULL)
			udp_names_forget(name);
	}
}
