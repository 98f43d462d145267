/* What to probe; see targets.h. */
#include "net/targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/endpoint_uri.h"

struct target *
targets_grow(struct targets *targets, struct fault *fault)
{
	if (targets->count == targets->capacity) {
		size_t wanted = targets->capacity == 0 ? 4 : 2 * targets->capacity;
		struct target *grown = realloc(targets->list, wanted * sizeof *grown);
		if (grown == NULL) {
			(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "targets");
			return NULL;
		}
		targets->list = grown;
		targets->capacity = wanted;
	}
	struct target *target = &targets->list[targets->count++];
	*target = (struct target){ .transport = NULL };
	return target;
}

bool
targets_is_word(const char *text)
{
	const char *colon = strchr(text, ':');
	if (endpoint_uri_has_scheme(text))
		return true;
	/* An IPv6 address alone has several colons. */
	return text[0] == '[' ? strstr(text, "]:") != NULL
			      : colon != NULL && strchr(colon + 1, ':') == NULL;
}

/* The interface of "fe80::%eth0/120" would have to be kept for each address. */
static bool
targets_set_network(struct target *target, char *text, struct fault *fault)
{
	size_t length = strlen(text);
	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text++;
	}
	char *shown = strdup(text);
	if (shown == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "targets");
	bool good = cidr_parse(&target->network, text, true, fault) == CIDR_NETWORK;
	int family = target->network.size == sizeof(struct in_addr) ? AF_INET : AF_INET6;
	if (good && target->network.scope != 0)
		good = fault_set(fault, STATUS_VALUE, 0,
			"network '%s': link-local addresses are probed one by one", shown);
	if (good && target->endpoint.family != AF_UNSPEC && target->endpoint.family != family)
		good = fault_set(fault, STATUS_VALUE, 0,
			"network '%s': addresses of the other family", shown);
	if (good && targets_hosts(target) > TARGETS_HOSTS)
		good = fault_set(fault, STATUS_VALUE, 0,
			"network '%s': more than %" PRIu64 " addresses cannot be probed", shown,
			TARGETS_HOSTS);
	target->endpoint.host = text;
	target->endpoint.numeric = true;
	free(shown);
	return good;
}

bool
targets_set_host(
	struct target *target, char *host, const struct targets_rules *rules, struct fault *fault)
{
	target->endpoint.names = TRANSPORT_INET;
	target->endpoint.family = rules->family;
	return strchr(host, '/') != NULL ? targets_set_network(target, host, fault)
					 : endpoint_set_host(&target->endpoint, host,
						   hosts_refuse(rules->hosts, host), fault);
}

bool
targets_add(
	struct targets *targets, char *text, const struct targets_rules *rules, struct fault *fault)
{
	struct endpoint_uri uri;
	struct target *target = targets_grow(targets, fault);
	if (target == NULL || !endpoint_uri_split(&uri, text, false, fault))
		return false;
	target->transport = rules->transport;
	target->secure =
		rules->secure || uri.scheme == ENDPOINT_URI_TLS || uri.scheme == ENDPOINT_URI_DTLS;
	switch (uri.scheme) {
	case ENDPOINT_URI_UNIX:
		target->transport = transport_find(TRANSPORT_UNIX, false, false, -1);
		target->endpoint.names = TRANSPORT_UNIX;
		return endpoint_set_path(&target->endpoint, uri.host, fault);
	case ENDPOINT_URI_VSOCK:
		target->transport = transport_find(TRANSPORT_VSOCK, false, false, -1);
		target->endpoint.names = TRANSPORT_VSOCK;
		return endpoint_set_vsock(&target->endpoint, uri.host, uri.port, fault);
	case ENDPOINT_URI_FD:
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint 'fd://%s': cannot be one of several", uri.host);
	case ENDPOINT_URI_TCP:
	case ENDPOINT_URI_TLS:
	case ENDPOINT_URI_UDP:
	case ENDPOINT_URI_DTLS:
		target->transport = transport_find(TRANSPORT_INET,
			uri.scheme == ENDPOINT_URI_UDP || uri.scheme == ENDPOINT_URI_DTLS, false,
			-1);
		break;
	case ENDPOINT_URI_PLAIN:
		break;
	}
	return targets_set_host(target, uri.host, rules, fault) &&
		ports_add(&target->ports, uri.port, target->transport, fault);
}

uint64_t
targets_hosts(const struct target *target)
{
	unsigned bits = 8U * target->network.size - target->network.bits;
	return bits < 64 ? UINT64_C(1) << bits : UINT64_MAX;
}

uint64_t
targets_probes(const struct target *target)
{
	return targets_hosts(target) * (target->ports.count > 0 ? target->ports.count : 1);
}

bool
targets_check(const struct targets *targets, struct fault *fault)
{
	uint64_t probes = 0;
	/* No overflow: each target has fewer than 2^40. */
	for (size_t i = 0; i < targets->count; i++)
		if ((probes += targets_probes(&targets->list[i])) > TARGETS_PROBES)
			return fault_set(fault, STATUS_VALUE, 0,
				"targets: more than %" PRIu64 " ports cannot be probed",
				TARGETS_PROBES);
	return true;
}

struct address
targets_address(const struct target *target, uint64_t i)
{
	struct address address = { .length = 0 };
	unsigned char bytes[sizeof target->network.bytes];
	memcpy(bytes, target->network.bytes, sizeof bytes);
	for (size_t at = target->network.size; at-- > 0 && i > 0; i >>= 8)
		bytes[at] = (unsigned char)(bytes[at] | (i & 0xff));
	if (target->network.size == sizeof address.v4.sin_addr) {
		address.v4.sin_family = AF_INET;
		memcpy(&address.v4.sin_addr, bytes, sizeof address.v4.sin_addr);
		address.length = sizeof address.v4;
	} else {
		address.v6.sin6_family = AF_INET6;
		memcpy(&address.v6.sin6_addr, bytes, sizeof address.v6.sin6_addr);
		address.length = sizeof address.v6;
	}
	return address;
}

void
targets_close(struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		ports_close(&targets->list[i].ports);
	free(targets->list);
	*targets = (struct targets){ .list = NULL };
}
