/* The targets of datagrams; see udp_targets.h. */
#include "filter/udp_targets.h"

#include <stdlib.h>
#include <string.h>

/* The first size of the list. */
#define UDP_TARGETS_FEW 4

bool
udp_targets_have(const struct udp_targets *targets, const struct address *target)
{
	struct address six = *target;
	address_map(&six);
	for (size_t i = 0; i < targets->count; i++) {
		const struct sockaddr_in6 *one = &targets->list[i];
		if (one->sin6_port == six.v6.sin6_port &&
			one->sin6_scope_id == six.v6.sin6_scope_id &&
			memcmp(&one->sin6_addr, &six.v6.sin6_addr, sizeof one->sin6_addr) == 0)
			return true;
	}
	return false;
}

/* Makes room for one more, up to the limit. */
static bool
udp_targets_grow(struct udp_targets *targets)
{
	if (targets->count < targets->capacity || targets->capacity == UDP_TARGETS_MAX)
		return true;
	size_t capacity = targets->capacity == 0 ? UDP_TARGETS_FEW : targets->capacity * 2;
	struct sockaddr_in6 *longer = realloc(targets->list, capacity * sizeof *longer);
	if (longer == NULL)
		return false;
	targets->list = longer;
	targets->capacity = capacity;
	return true;
}

bool
udp_targets_add(struct udp_targets *targets, const struct address *target)
{
	struct address six = *target;
	if (!udp_targets_grow(targets))
		return false;
	address_map(&six);
	targets->list[targets->next] = six.v6;
	targets->count += targets->count < UDP_TARGETS_MAX;
	targets->next = (targets->next + 1) % UDP_TARGETS_MAX;
	return true;
}

void
udp_targets_close(struct udp_targets *targets)
{
	free(targets->list);
	*targets = (struct udp_targets){ .list = NULL };
}
