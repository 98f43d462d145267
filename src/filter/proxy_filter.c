/* Connecting through proxies; see proxy_filter.h. */
#include "filter/proxy_filter.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/filter.h"
#include "filter/handshake_talk.h"
#include "filter/proxy_choice.h"
#include "filter/udp_proxy.h"

enum proxy_filter_state {
	PROXY_FILTER_START,
	PROXY_FILTER_TALKING,
	PROXY_FILTER_PAUSED /* before the next try */
};

struct proxy_filter {
	const struct proxy_chain *chain; /* not owned */
	int *error;                      /* not owned; see struct dial_config */
	int64_t deadline; /* of the dial; with retries of this proxy, 0: not connected to it yet */
	int64_t wait;
	enum proxy_filter_state state;
	size_t hop;                       /* the proxy of this filter */
	const struct sockopts *datagrams; /* of their socket, not owned; NULL: a connection */
	struct proxy_choice choice;
	struct fault failures;       /* of the addresses before */
	bool passes;                 /* the last failure may not be that of another address */
	bool continues;              /* the handshake goes on with another connection */
	struct proxy_route *route;   /* owned: to connect to the proxy again; NULL: never */
	struct dial_retries retries; /* of the route's dial */
	int64_t again;               /* when PROXY_FILTER_PAUSED ends */
	struct handshake_talk talk;
};

static const struct proxy *
proxy_filter_hop(const struct proxy_filter *filter)
{
	return &filter->chain->list[filter->hop];
}

/* Sets the fault to a cause at the proxy. */
static enum io
proxy_filter_fault(
	const struct stream *stream, enum status status, const char *cause, struct fault *fault)
{
	const struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	return IO_FAULT(fault, status, 0, "%s %s: proxy %zu (%s %s): %s",
		filter->datagrams != NULL ? "relay datagrams for" : "connect", stream->name,
		filter->hop + 1, proxy->kind->scheme, proxy->name, cause);
}

/* The handshake has failed: adds the cause to those of other addresses. */
static enum io
proxy_filter_refuse(struct stream *stream, enum handshake_result result, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct handshake *handshake = &filter->talk.handshake;
	struct fault *list = &filter->failures;
	char *address = filter->choice.resolve.count > 1
		? address_print(proxy_choice_address(&filter->choice))
		: NULL;
	if (fault_is_set(list))
		fault_add(list, "; ");
	else
		(void)proxy_filter_fault(stream, STATUS_PROXY, "", list);
	if (address != NULL)
		fault_add(list, "%s: ", address);
	fault_add(list, "%s%s", result == HANDSHAKE_TARGET ? "target: " : "", handshake->words);
	if (handshake->code > 0)
		fault_add(list, " (%s %u)", handshake->protocol->code, handshake->code);
	list->transient |= handshake->transient;
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

/* The address to ask for is known, or the proxy resolves the name. */
static enum io
proxy_filter_start(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	const char *denied = proxy_choice_skip(&filter->choice, stream->name);
	const struct handshake_request request = {
		.host = filter->choice.to.host,
		.port = (uint16_t)filter->choice.to.port,
		.address = proxy_choice_address(&filter->choice),
		.datagrams = filter->datagrams != NULL,
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
	enum io result = filter->choice.resolve.count > 0 && !filter->choice.resolving
		? IO_OK
		: proxy_choice_resolve(&filter->choice, pollset, fault);
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
	filter->continues = taken == HANDSHAKE_AGAIN;
	if (filter->continues)
		return IO_FAIL;
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
	proxy_choice_clear(&filter->choice);
	fault_clear(&filter->failures);
	dial_retries_end(&filter->retries);
	proxy_route_free(filter->route);
}

/* The proxy has connected, or relays datagrams: the stream becomes that of the connection, or of
 * the datagrams, with the name of what the proxy was asked for. */
static enum io
proxy_filter_become(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	const struct address *address = proxy_choice_address(&filter->choice);
	const struct udp_proxy_config datagrams = { .relay = filter->talk.handshake.bound,
		.to = filter->choice.to,
		.target = address != NULL ? *address : (struct address){ .length = 0 },
		.options = filter->datagrams,
		.proxy = proxy };
	char *name = stream->name;
	if (filter->datagrams == NULL)
		event_emit(&(struct event){ .kind = EVENT_proxied,
			.count = filter->hop + 1,
			.object = proxy->kind->scheme,
			.peer = proxy->name,
			.target = name,
			.detail = address != NULL ? NULL : "by the proxy" });
	stream->name = stream->lower->name;
	stream->lower->name = name;
	proxy_filter_free(filter);
	filter_become_lower(stream);
	return datagrams.options == NULL || udp_proxy_insert(stream, &datagrams, fault) ? IO_OK
											: IO_FAIL;
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

/* Begins to connect to the proxy again. IO_OK: it is connected. */
static enum io
proxy_filter_reconnect(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	struct dial_config *dial = &filter->route->dial;
	if (dial->retry.most > 0) {
		dial->deadline = clock_after(now, filter->wait);
		filter->deadline = 0;
	}
	struct stream *lower = proxy_route_reach(filter->route, filter->hop, fault);
	if (lower == NULL)
		return IO_FAIL;
	stream_close(stream->lower, true);
	stream->lower = lower;
	filter->passes = filter->continues = false;
	enum io result = stream_open(lower, NULL, now, fault);
	stream_follow(stream);
	/* The dial below has made the retries that are left. */
	if (result == IO_FAIL)
		dial->retry.most = 0;
	return result;
}

/* The proxy has not connected to an address, or closes the connection before the login. Begins to
 * connect to it again, to ask for the next address or to log in; if that has failed, or there is no
 * address, IO_FAIL. IO_OK: it is connected. */
static enum io
proxy_filter_try_next(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	if (filter->continues)
		return proxy_filter_reconnect(stream, now, fault);
	if (!filter->passes || filter->route == NULL || filter->datagrams != NULL ||
		!proxy_choice_has_more(&filter->choice))
		return IO_FAIL;
	filter->choice.index++;
	if (proxy_choice_skip(&filter->choice, stream->name) != NULL)
		return IO_FAIL;
	fault_move(&filter->failures, fault);
	event_emit(&(struct event){ .kind = EVENT_attempt_failed, .cause = filter->failures.text });
	filter->state = PROXY_FILTER_START;
	return proxy_filter_reconnect(stream, now, fault);
}

/* The try has failed. IO_AGAIN: another one follows after a pause. */
static enum io
proxy_filter_pause(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	if (filter->route == NULL ||
		!dial_retries_take(&filter->retries, &filter->route->dial, stream->name, now,
			&filter->again, fault))
		return IO_FAIL;
	proxy_choice_clear(&filter->choice);
	fault_clear(&filter->failures);
	filter->state = PROXY_FILTER_PAUSED;
	return IO_AGAIN;
}

/* The pause is over. */
static enum io
proxy_filter_resume(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	if (now < filter->again)
		return IO_AGAIN;
	/* The result of the next try replaces it. */
	dial_retries_end(&filter->retries);
	filter->state = PROXY_FILTER_START;
	if (filter->error != NULL)
		*filter->error = 0;
	return proxy_filter_reconnect(stream, now, fault);
}

/* Whether the time of the try is over. */
static bool
proxy_filter_is_late(const struct stream *stream, int64_t now)
{
	struct proxy_filter *filter = stream->impl;
	if (filter->state == PROXY_FILTER_PAUSED || !stream->lower->opened)
		return false;
	if (filter->deadline == 0)
		filter->deadline = clock_after(now, filter->wait);
	return now >= filter->deadline;
}

static enum io
proxy_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	enum io result = filter->state == PROXY_FILTER_PAUSED
		? proxy_filter_resume(stream, now, fault)
		: IO_OK;
	while (result == IO_OK) {
		result = proxy_filter_step(stream, pollset, fault);
		if (result == IO_OK)
			return proxy_filter_become(stream, fault);
		if (result == IO_FAIL)
			result = proxy_filter_try_next(stream, now, fault);
	}
	if (result == IO_AGAIN && proxy_filter_is_late(stream, now))
		result = proxy_filter_fault(stream, STATUS_TIMEOUT,
			filter->choice.resolving ? "resolving timed out" : "timed out", fault);
	if (result == IO_FAIL)
		result = proxy_filter_pause(stream, now, fault);
	/* Each try has a time limit of its own. */
	stream->caps.retries = filter->route != NULL && filter->route->dial.retry.most > 0;
	return result;
}

static void
proxy_filter_ask(const struct stream *stream, struct pollset *pollset)
{
	struct proxy_filter *filter = stream->impl;
	pollset_until(
		pollset, filter->state == PROXY_FILTER_PAUSED ? filter->again : filter->deadline);
	if (filter->state == PROXY_FILTER_PAUSED)
		return;
	if (filter->choice.resolving)
		resolve_ask(&filter->choice.resolve, pollset);
	else
		(void)stream_ask(&stream->read, pollset);
}

static void
proxy_filter_close(struct stream *stream, bool clean)
{
	struct proxy_filter *filter = stream->impl;
	(void)clean;
	if (filter->route != NULL)
		dial_retries_close(&filter->retries, &filter->route->dial, stream->name);
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
	/* It may be connected to again. */
	bool again = chain->list[hop].resolves || chain->digest || dial->retry.most > 0;
	struct proxy_route *copy = again ? proxy_route_copy(route) : NULL;
	struct stream *stream = name != NULL && (copy != NULL || !again)
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
		.error = dial->error,
		.hop = hop,
		.datagrams = dial->transport->connected ? NULL : dial->options,
		/* The tries have deadlines of their own. */
		.deadline = dial->retry.most > 0 ? 0 : dial->deadline,
		.wait = dial->wait,
		.choice = proxy_choice_make(chain, hop, dial),
		.route = copy,
	};
	return true;
}
