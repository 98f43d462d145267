/* Connecting through proxies; see proxy_filter.h. */
#include "filter/proxy_filter.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/filter.h"
#include "filter/handshake_talk.h"

enum proxy_filter_state {
	PROXY_FILTER_START,
	PROXY_FILTER_RESOLVING,
	PROXY_FILTER_RESOLVED,
	PROXY_FILTER_TALKING
};

struct proxy_filter {
	const struct proxy_chain *chain; /* not owned */
	struct endpoint target;
	const struct hosts *hosts;               /* not owned */
	const struct destinations *destinations; /* not owned; see struct dial_config */
	uint16_t own_port;                       /* the same */
	int *error;                              /* the same */
	int64_t deadline;                        /* of the dial; of this proxy with retries */
	int64_t wait;
	enum proxy_filter_state state;
	size_t hop; /* the proxy of this filter */
	struct resolve resolve;
	size_t address;            /* of those, the one that the proxy is asked for */
	struct fault failures;     /* of those before */
	bool passes;               /* the last failure may not be that of another address */
	struct proxy_route *route; /* owned: to ask for the next one; NULL: there is only one */
	struct handshake_talk talk;
};

static const struct proxy *
proxy_filter_hop(const struct proxy_filter *filter)
{
	return &filter->chain->list[filter->hop];
}

/* The address that it is asked for; NULL: it resolves the name. */
static const struct address *
proxy_filter_address(const struct proxy_filter *filter)
{
	return filter->resolve.count > 0 ? &filter->resolve.addresses[filter->address] : NULL;
}

/* What the proxy is asked for, with the family that it can be asked for. */
static struct endpoint
proxy_filter_next(const struct proxy_filter *filter)
{
	struct endpoint next = *proxy_next(filter->chain, filter->hop, &filter->target);
	if (!next.numeric && proxy_filter_hop(filter)->kind->family != AF_UNSPEC)
		next.family = proxy_filter_hop(filter)->kind->family;
	return next;
}

/* Sets the fault to a cause at the proxy. */
static enum io
proxy_filter_fault(
	const struct stream *stream, enum status status, const char *cause, struct fault *fault)
{
	const struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	return IO_FAULT(fault, status, 0, "connect %s: proxy %zu (%s %s): %s", stream->name,
		filter->hop + 1, proxy->kind->scheme, proxy->name, cause);
}

/* The handshake has failed: adds the cause to those of other addresses. */
static enum io
proxy_filter_refuse(struct stream *stream, enum handshake_result result, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct handshake *handshake = &filter->talk.handshake;
	struct fault *list = &filter->failures;
	char *address =
		filter->resolve.count > 1 ? address_print(proxy_filter_address(filter)) : NULL;
	if (fault_is_set(list))
		fault_add(list, "; ");
	else
		(void)proxy_filter_fault(stream, STATUS_PROXY, "", list);
	if (address != NULL)
		fault_add(list, "%s: ", address);
	fault_add(list, "%s%s", result == HANDSHAKE_TARGET ? "target: " : "", handshake->words);
	if (handshake->code > 0)
		fault_add(list, " (%s %u)", handshake->protocol->code, handshake->code);
	if (filter->error != NULL && filter->hop + 1 == filter->chain->count)
		*filter->error = handshake->error;
	free(address);
	fault_move(fault, list);
	return IO_FAIL;
}

/* The connection failed during the handshake, or has ended. */
static enum io
proxy_filter_lost(const struct stream *stream, struct fault *cause, struct fault *fault)
{
	const struct proxy_filter *filter = stream->impl;
	(void)proxy_filter_fault(stream, STATUS_PROXY,
		cause->text != NULL ? cause->text : "the connection was closed", fault);
	if (cause->text == NULL)
		fault_add(fault,
			filter->talk.handshake.taken > 0 ? " inside the answer"
							 : " without an answer");
	fault_clear(cause);
	return IO_FAIL;
}

/* --- the steps --- */

/* Why the target is not allowed; NULL: it is. */
static const char *
proxy_filter_denies(const struct proxy_filter *filter)
{
	if (filter->destinations == NULL || filter->hop + 1 < filter->chain->count)
		return NULL;
	if (filter->resolve.count > 0)
		return destinations_refuse(
			filter->destinations, proxy_filter_address(filter), filter->own_port);
	return destinations_refuse_name(filter->destinations, filter->target.host);
}

/* Reports that an address is skipped. */
static void
proxy_filter_report_denied(const struct stream *stream, const char *denied)
{
	char *address = event_wants(EVENT_attempt_denied)
		? address_print(proxy_filter_address(stream->impl))
		: NULL;
	event_emit(&(struct event){ .kind = EVENT_attempt_denied,
		.target = stream->name,
		.address = address,
		.cause = denied });
	free(address);
}

/* Goes to the first address that is allowed. Why the last one is not; NULL: there is one, or the
 * proxy may resolve the name. */
static const char *
proxy_filter_skip(const struct stream *stream)
{
	struct proxy_filter *filter = stream->impl;
	const char *denied = proxy_filter_denies(filter);
	while (denied != NULL && filter->address + 1 < filter->resolve.count) {
		proxy_filter_report_denied(stream, denied);
		filter->address++;
		denied = proxy_filter_denies(filter);
	}
	return denied;
}

/* The address to ask for is known, or the proxy resolves the name. */
static enum io
proxy_filter_start(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	const struct endpoint *next = proxy_next(filter->chain, filter->hop, &filter->target);
	const char *denied = proxy_filter_skip(stream);
	const struct handshake_request request = {
		.host = next->host,
		.port = (uint16_t)next->port,
		.address = proxy_filter_address(filter),
		.user = proxy->user,
		.password = proxy->password,
		.fields = filter->chain->fields,
		.field_count = filter->chain->field_count,
		.digest = filter->chain->digest && proxy->user != NULL,
	};
	if (denied != NULL) {
		if (filter->error != NULL)
			*filter->error = EACCES;
		return IO_FAULT(fault, STATUS_PROXY, 0, "connect %s: not allowed: %s", stream->name,
			denied);
	}
	filter->talk.sent = 0;
	filter->state = PROXY_FILTER_TALKING;
	return handshake_start(&filter->talk.handshake, proxy->kind->protocol, &request)
		? IO_OK
		: proxy_filter_refuse(stream, HANDSHAKE_REFUSED, fault);
}

/* Resolves what the proxy is asked for, unless the proxy does. */
static enum io
proxy_filter_resolve(struct stream *stream, const struct pollset *pollset, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct endpoint next = proxy_filter_next(filter);
	enum io result = IO_OK;
	if (filter->state == PROXY_FILTER_RESOLVED)
		return proxy_filter_start(stream, fault);
	if (filter->state == PROXY_FILTER_RESOLVING) {
		result = resolve_step(&filter->resolve, &next, pollset, fault);
	} else if (next.numeric || proxy_filter_hop(filter)->resolves) {
		filter->state = PROXY_FILTER_RESOLVING;
		result = hosts_resolve(filter->hosts, &filter->resolve, &next, fault);
	}
	return result == IO_OK ? proxy_filter_start(stream, fault) : result;
}

/* Sends and reads as far as possible. IO_OK: the proxy has connected. */
static enum io
proxy_filter_talk(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct handshake *handshake = &filter->talk.handshake;
	enum handshake_result taken;
	struct fault cause = FAULT_NONE;
	enum io result = handshake_talk_step(stream, &filter->talk, &taken, &cause);
	if (result == IO_AGAIN)
		return IO_AGAIN;
	if (result != IO_OK)
		return proxy_filter_lost(stream, &cause, fault);
	if (taken == HANDSHAKE_DONE)
		return IO_OK;
	/* SOCKS has no more than a general failure for many causes. */
	filter->passes = taken == HANDSHAKE_TARGET ||
		(taken == HANDSHAKE_REFUSED && handshake->code > 0 && handshake->code <= UINT8_MAX);
	return proxy_filter_refuse(stream, taken, fault);
}

/* --- the stream --- */

/* Frees what it owns. */
static void
proxy_filter_free(struct proxy_filter *filter)
{
	resolve_close(&filter->resolve);
	fault_clear(&filter->failures);
	proxy_route_free(filter->route);
}

/* The proxy has connected: the stream becomes that of the connection, with the name of what the
 * proxy was asked for. */
static void
proxy_filter_become(struct stream *stream)
{
	struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	char *name = stream->name;
	event_emit(&(struct event){ .kind = EVENT_proxied,
		.count = filter->hop + 1,
		.object = proxy->kind->scheme,
		.peer = proxy->name,
		.target = name,
		.detail = filter->resolve.count > 0 ? NULL : "by the proxy" });
	stream->name = stream->lower->name;
	stream->lower->name = name;
	proxy_filter_free(filter);
	filter_become_lower(stream);
}

/* Resolves and asks. */
static enum io
proxy_filter_step(struct stream *stream, const struct pollset *pollset, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	enum io result = IO_OK;
	if (filter->state != PROXY_FILTER_TALKING)
		result = proxy_filter_resolve(stream, pollset, fault);
	return result == IO_OK ? proxy_filter_talk(stream, fault) : result;
}

/* The proxy has not connected to an address. Begins to connect to the proxy again, to ask for the
 * next one; if that has failed, or there is none, IO_FAIL. IO_OK: it is connected. */
static enum io
proxy_filter_try_next(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	if (!filter->passes || filter->route == NULL ||
		filter->address + 1 >= filter->resolve.count)
		return IO_FAIL;
	filter->address++;
	if (proxy_filter_skip(stream) != NULL)
		return IO_FAIL;
	fault_move(&filter->failures, fault);
	struct stream *lower = proxy_route_reach(filter->route, filter->hop, fault);
	if (lower == NULL)
		return IO_FAIL;
	event_emit(&(struct event){ .kind = EVENT_attempt_failed, .cause = filter->failures.text });
	stream_close(stream->lower, true);
	stream->lower = lower;
	filter->passes = false;
	filter->state = PROXY_FILTER_RESOLVED;
	enum io result = stream_open(lower, NULL, now, fault);
	stream_follow(stream);
	return result;
}

static enum io
proxy_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	enum io result = IO_OK;
	if (filter->deadline == 0)
		filter->deadline = clock_after(now, filter->wait);
	do {
		result = proxy_filter_step(stream, pollset, fault);
		if (result != IO_FAIL)
			break;
		result = proxy_filter_try_next(stream, now, fault);
	} while (result == IO_OK);
	if (result == IO_AGAIN && now >= filter->deadline)
		result = proxy_filter_fault(stream, STATUS_TIMEOUT,
			filter->state == PROXY_FILTER_RESOLVING ? "resolving timed out"
								: "timed out",
			fault);
	if (result == IO_OK)
		proxy_filter_become(stream);
	return result;
}

static void
proxy_filter_ask(const struct stream *stream, struct pollset *pollset)
{
	struct proxy_filter *filter = stream->impl;
	pollset_until(pollset, filter->deadline);
	if (filter->state == PROXY_FILTER_RESOLVING)
		resolve_ask(&filter->resolve, pollset);
	else
		(void)stream_ask(&stream->read, pollset);
}

static void
proxy_filter_close(struct stream *stream, bool clean)
{
	struct proxy_filter *filter = stream->impl;
	(void)clean;
	proxy_filter_free(filter);
}

/* It is read and written only after it has become the connection. */
static const struct stream_ops proxy_filter_ops = {
	.open = proxy_filter_open,
	.ask = proxy_filter_ask,
	.close = proxy_filter_close,
};

bool
proxy_filter_add(
	struct stream **top, const struct proxy_route *route, size_t hop, struct fault *fault)
{
	const struct proxy_chain *chain = route->chain;
	const struct dial_config *dial = &route->dial;
	char *name = endpoint_print(proxy_next(chain, hop, &dial->to));
	struct proxy_route *copy = chain->list[hop].resolves ? proxy_route_copy(route) : NULL;
	struct stream *stream = name != NULL && (copy != NULL || !chain->list[hop].resolves)
		? filter_add(top, &proxy_filter_ops, sizeof(struct proxy_filter), fault)
		: NULL;
	if (stream == NULL) {
		free(name);
		proxy_route_free(copy);
		return false;
	}
	free(stream->name);
	stream->name = name;
	*(struct proxy_filter *)stream->impl = (struct proxy_filter){
		.chain = chain,
		.target = dial->to,
		.hosts = dial->hosts,
		.destinations = dial->destinations,
		.own_port = dial->own_port,
		.error = dial->error,
		.hop = hop,
		/* The tries have deadlines of their own. */
		.deadline = dial->retry.most > 0 ? 0 : dial->deadline,
		.wait = dial->wait,
		.resolve = { .fd = -1 },
		.route = copy,
	};
	return true;
}

struct stream *
proxy_filter_dial(const struct proxy_chain *chain, const struct dial_config *dial,
	const struct proxy_sender_config *header, bool single, struct address *peer,
	struct fault *fault)
{
	const struct proxy_route route = {
		.chain = chain, .dial = *dial, .header = *header, .single = single, .peer = peer
	};
	return chain->count == 0 || dial->to.direct
		? proxy_route_start(&route, dial, fault)
		: proxy_route_reach(&route, chain->count, fault);
}
