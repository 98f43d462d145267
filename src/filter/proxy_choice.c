/* Which address a proxy is asked for; see proxy_choice.h. */
#include "filter/proxy_choice.h"

#include <stdlib.h>

#include "base/event.h"

struct proxy_choice
proxy_choice_make(const struct proxy_chain *chain, size_t hop, const struct dial_config *dial)
{
	const struct proxy *proxy = &chain->list[hop];
	struct endpoint to = *proxy_next(chain, hop, &dial->to);
	if (!to.numeric && proxy->kind->family != AF_UNSPEC)
		to.family = proxy->kind->family;
	return (struct proxy_choice){
		.to = to,
		.resolves = proxy->resolves,
		.hosts = dial->hosts,
		.destinations = hop + 1 < chain->count ? NULL : dial->destinations,
		.own_port = dial->own_port,
		.resolve = { .fd = -1 },
	};
}

enum io
proxy_choice_resolve(
	struct proxy_choice *choice, const struct pollset *pollset, struct fault *fault)
{
	enum io result = IO_OK;
	if (choice->resolving)
		result = resolve_step(&choice->resolve, &choice->to, pollset, fault);
	else if (choice->to.numeric || choice->resolves)
		result = hosts_resolve(choice->hosts, &choice->resolve, &choice->to, fault);
	choice->resolving = result == IO_AGAIN;
	return result;
}

/* Why the target is not allowed; NULL: it is. */
static const char *
proxy_choice_denies(const struct proxy_choice *choice)
{
	if (choice->destinations == NULL)
		return NULL;
	if (choice->resolve.count > 0)
		return destinations_refuse(
			choice->destinations, proxy_choice_address(choice), choice->own_port);
	return destinations_refuse_name(choice->destinations, choice->to.host);
}

static void
proxy_choice_report(const struct proxy_choice *choice, const char *name, const char *denied)
{
	char *address = event_wants(EVENT_attempt_denied)
		? address_print(proxy_choice_address(choice))
		: NULL;
	event_emit(&(struct event){ .kind = EVENT_attempt_denied,
		.target = name,
		.address = address,
		.cause = denied });
	free(address);
}

const char *
proxy_choice_skip(struct proxy_choice *choice, const char *name)
{
	const char *denied = proxy_choice_denies(choice);
	while (denied != NULL && proxy_choice_has_more(choice)) {
		proxy_choice_report(choice, name, denied);
		choice->index++;
		denied = proxy_choice_denies(choice);
	}
	return denied;
}

void
proxy_choice_clear(struct proxy_choice *choice)
{
	resolve_close(&choice->resolve);
	choice->resolving = false;
	choice->index = 0;
}
