/* Which address a proxy is asked for: those of a name that is resolved here one after the other,
 * without those that are not allowed. */
#ifndef SOCKCAT_FILTER_PROXY_CHOICE_H
#define SOCKCAT_FILTER_PROXY_CHOICE_H

#include "base/pollset.h"
#include "net/dial.h"
#include "net/proxy.h"

struct proxy_choice {
	struct endpoint to;        /* with the family that the proxy can be asked for */
	bool resolves;             /* names are resolved here */
	bool resolving;            /* the look-up goes on */
	const struct hosts *hosts; /* not owned */
	const struct destinations *destinations; /* not owned; NULL: all are allowed */
	uint16_t own_port;                       /* see destinations_refuse */
	struct resolve resolve;                  /* no addresses: the proxy resolves the name */
	size_t index;                            /* of the current address */
};

/* What a proxy of the chain is asked for, to connect to the target of the dial. */
struct proxy_choice proxy_choice_make(
	const struct proxy_chain *chain, size_t hop, const struct dial_config *dial);

/* The current address; NULL: the proxy resolves the name. */
static inline const struct address *
proxy_choice_address(const struct proxy_choice *choice)
{
	return choice->resolve.count > 0 ? &choice->resolve.addresses[choice->index] : NULL;
}

/* Whether addresses follow the current one. */
static inline bool
proxy_choice_has_more(const struct proxy_choice *choice)
{
	return choice->index + 1 < choice->resolve.count;
}

/* A step of the look-up; IO_OK at once if the proxy does it. `pollset`: what was asked for. */
enum io proxy_choice_resolve(
	struct proxy_choice *choice, const struct pollset *pollset, struct fault *fault);

/* Goes on to the first address that is allowed, and reports those that are skipped; `name` is that
 * of the target. Why the last one is not allowed; NULL: there is one, or the proxy may resolve the
 * name. */
const char *proxy_choice_skip(struct proxy_choice *choice, const char *name);

/* Frees the addresses: the name is to be resolved again. */
void proxy_choice_clear(struct proxy_choice *choice);

#endif
