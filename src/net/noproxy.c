/* Targets that no proxy is used for; see noproxy.h. */
#include "net/noproxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/cidr.h"
#include "net/resolve.h"

#define NOPROXY_BLANKS ", \t\r\n"

/* Whether the target is an address of the network. */
static bool
noproxy_is_within(const struct endpoint *target, const struct cidr *network)
{
	struct fault ignored = FAULT_NONE;
	struct resolve resolve;
	struct cidr address;
	bool within = target->numeric && resolve_start(&resolve, target, &ignored) == IO_OK;
	if (target->numeric) {
		within = within && cidr_from(&address, &resolve.addresses[0]) &&
			cidr_contains(network, &address);
		resolve_close(&resolve);
	}
	fault_clear(&ignored);
	return within;
}

/* Makes the target direct if the entry, which is modified, has it. False: it is malformed. */
static bool
noproxy_fits(char *entry, struct endpoint *target, struct fault *fault)
{
	struct cidr network;
	if (strcmp(entry, "*") == 0) {
		target->direct = true;
		return true;
	}
	char *name = entry[0] == '.' ? entry + 1 : entry;
	switch (cidr_parse(&network, name, false, fault)) {
	case CIDR_NETWORK:
		target->direct |= noproxy_is_within(target, &network);
		return true;
	case CIDR_NAME:
		target->direct |= !target->numeric && endpoint_is_below(target->host, name);
		return true;
	case CIDR_BAD:
		break;
	}
	return false;
}

bool
noproxy_find(const char *list, struct endpoint *target, bool lenient, struct fault *fault)
{
	char *copy = strdup(list);
	if (copy == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--noproxy");
	bool good = true;
	char *rest = copy;
	while (good && *(rest += strspn(rest, NOPROXY_BLANKS)) != '\0') {
		struct fault cause = FAULT_NONE;
		char *entry = rest;
		rest += strcspn(rest, NOPROXY_BLANKS);
		if (*rest != '\0')
			*rest++ = '\0';
		good = noproxy_fits(entry, target, &cause) || lenient;
		if (!good)
			(void)fault_set(fault, cause.status, 0, "invalid --noproxy: %s",
				cause.text != NULL ? cause.text : "");
		fault_clear(&cause);
	}
	free(copy);
	return good;
}
