/* Multicast groups; see multicast.h. */
#include "net/multicast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/parse.h"

static bool
multicast_parse_address(const char *text, size_t length, struct address *address)
{
	char bare[INET6_ADDRSTRLEN];
	memset(address, 0, sizeof *address);
	if (length >= sizeof bare)
		return false;
	memcpy(bare, text, length);
	bare[length] = '\0';
	if (inet_pton(AF_INET, bare, &address->v4.sin_addr) == 1)
		address->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, bare, &address->v6.sin6_addr) == 1)
		address->any.sa_family = AF_INET6;
	return address->any.sa_family != 0;
}

bool
multicast_parse(struct multicast *multicast, const char *text, struct fault *fault)
{
	const char *at = strchr(text, '@');
	const char *group = at != NULL ? at + 1 : text;
	const char *percent = strchr(group, '%');
	uint64_t number = 0;
	size_t length = percent != NULL ? (size_t)(percent - group) : strlen(group);
	memset(multicast, 0, sizeof *multicast);
	if (!multicast_parse_address(group, length, &multicast->group) ||
		!address_is_multicast(&multicast->group))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --join '%s': '%.*s' is not a multicast address", text, (int)length,
			group);
	if (at != NULL &&
		(!multicast_parse_address(text, (size_t)(at - text), &multicast->source) ||
			multicast->source.any.sa_family != multicast->group.any.sa_family))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --join '%s': the part before '@' is not an address of the "
			"same family",
			text);
	if (percent == NULL)
		return true;
	if (parse_count(percent + 1, UINT32_MAX, &number) == PARSE_OK)
		multicast->interface = (unsigned)number;
	else
		multicast->interface = if_nametoindex(percent + 1);
	return multicast->interface != 0 ||
		fault_set(fault, STATUS_BIND, 0, "invalid --join '%s': no such interface", text);
}

bool
multicast_join(const struct multicast *multicast, int fd, int level)
{
#ifdef MCAST_JOIN_SOURCE_GROUP
	struct group_req any = {
		.gr_interface = multicast->interface,
		.gr_group = multicast->group.storage,
	};
	struct group_source_req one = {
		.gsr_interface = multicast->interface,
		.gsr_group = multicast->group.storage,
		.gsr_source = multicast->source.storage,
	};
	/* Receive only the groups that this socket joined, not those of other processes (ip(7)). */
	int off = 0;
#ifdef IP_MULTICAST_ALL
	if (level == IPPROTO_IP)
		(void)setsockopt(fd, level, IP_MULTICAST_ALL, &off, sizeof off);
#endif
#ifdef IPV6_MULTICAST_ALL
	if (level == IPPROTO_IPV6)
		(void)setsockopt(fd, level, IPV6_MULTICAST_ALL, &off, sizeof off);
#endif
	(void)off;
	return multicast->source.any.sa_family != 0
		? setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &one, sizeof one) == 0
		: setsockopt(fd, level, MCAST_JOIN_GROUP, &any, sizeof any) == 0;
#else
	(void)multicast, (void)fd, (void)level;
	errno = EOPNOTSUPP;
	return false;
#endif
}
