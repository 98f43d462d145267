/* Connecting through proxies; see proxy_filter.h. */
#include "filter/proxy_filter.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/filter.h"
#include "filter/tls_filter.h"
#include "stream/dialled.h"

enum proxy_filter_state { PROXY_FILTER_START, PROXY_FILTER_RESOLVING, PROXY_FILTER_TALKING };

struct proxy_filter {
	const struct proxy_chain *chain; /* not owned */
	struct endpoint target;
	const struct hosts *hosts;               /* not owned */
	const struct destinations *destinations; /* not owned; see struct dial_config */
	int *error;                              /* the same */
	int64_t deadline;                        /* of the dial; of this proxy with retries */
	int64_t wait;
	enum proxy_filter_state state;
	size_t hop; /* the proxy of this filter */
	struct resolve resolve;
	size_t sent; /* bytes of the handshake */
	struct handshake handshake;
};

static const struct proxy *
proxy_filter_hop(const struct proxy_filter *filter)
{
	return &filter->chain->list[filter->hop];
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

/* The handshake has failed. */
static enum io
proxy_filter_refuse(const struct stream *stream, enum handshake_result result, struct fault *fault)
{
	const struct proxy_filter *filter = stream->impl;
	const struct handshake *handshake = &filter->handshake;
	(void)proxy_filter_fault(
		stream, STATUS_PROXY, result == HANDSHAKE_TARGET ? "target: " : "", fault);
	fault_add(fault, "%s", handshake->words);
	if (handshake->code > 0)
		fault_add(fault, " (%s %u)", handshake->protocol->code, handshake->code);
	if (filter->error != NULL && filter->hop + 1 == filter->chain->count)
		*filter->error = handshake->error;
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
			filter->handshake.taken > 0 ? " inside the answer" : " without an answer");
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
		return destinations_refuse(filter->destinations, &filter->resolve.addresses[0], 0);
	return destinations_given(filter->destinations)
		? "a name, which the proxy resolves (--proxy-dns=local)"
		: NULL;
}

/* The address to ask for is known, or the proxy resolves the name. */
static enum io
proxy_filter_start(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	const struct proxy *proxy = proxy_filter_hop(filter);
	const struct endpoint *next = proxy_next(filter->chain, filter->hop, &filter->target);
	const struct handshake_request request = {
		.host = next->host,
		.port = (uint16_t)next->port,
		.address = filter->resolve.count > 0 ? &filter->resolve.addresses[0] : NULL,
		.user = proxy->user,
		.password = proxy->password,
		.fields = filter->chain->fields,
		.field_count = filter->chain->field_count,
	};
	const char *denied = proxy_filter_denies(filter);
	if (denied != NULL) {
		if (filter->error != NULL)
			*filter->error = EACCES;
		return IO_FAULT(fault, STATUS_PROXY, 0, "connect %s: not allowed: %s", stream->name,
			denied);
	}
	filter->sent = 0;
	filter->state = PROXY_FILTER_TALKING;
	return handshake_start(&filter->handshake, proxy->kind->protocol, &request)
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
	if (filter->state == PROXY_FILTER_RESOLVING) {
		result = resolve_step(&filter->resolve, &next, pollset, fault);
	} else if (next.numeric || proxy_filter_hop(filter)->resolves) {
		filter->state = PROXY_FILTER_RESOLVING;
		result = hosts_resolve(filter->hosts, &filter->resolve, &next, fault);
	}
	return result == IO_OK ? proxy_filter_start(stream, fault) : result;
}

/* Sends what is left of the request. */
static enum io
proxy_filter_send(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	struct handshake *handshake = &filter->handshake;
	enum io result = IO_OK;
	while (result == IO_OK && filter->sent < handshake->out_length) {
		struct iovec piece = { handshake->out + filter->sent,
			handshake->out_length - filter->sent };
		size_t put = 0;
		result = stream_write(stream->lower, &piece, 1, &put, fault);
		filter->sent += put;
	}
	stream_follow(stream);
	if (result == IO_AGAIN)
		stream->read = stream->write;
	return result;
}

/* Sends and reads as far as possible. IO_OK: the proxy has connected. */
static enum io
proxy_filter_talk(struct stream *stream, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	struct handshake *handshake = &filter->handshake;
	enum handshake_result taken = HANDSHAKE_MORE;
	struct fault cause = FAULT_NONE;
	while (taken == HANDSHAKE_MORE) {
		unsigned char bytes[HANDSHAKE_IN];
		struct iovec piece = { bytes,
			handshake->wants < sizeof bytes ? handshake->wants : sizeof bytes };
		size_t got = 0;
		enum io result = proxy_filter_send(stream, &cause);
		if (result == IO_OK) {
			result = stream_read(stream->lower, &piece, 1, &got, &cause);
			stream_follow(stream);
		}
		if (result == IO_AGAIN)
			return IO_AGAIN;
		if (result != IO_OK)
			return proxy_filter_lost(stream, &cause, fault);
		taken = handshake_take(handshake, bytes, got);
	}
	if (taken != HANDSHAKE_DONE)
		return proxy_filter_refuse(stream, taken, fault);
	return IO_OK;
}

/* --- the stream --- */

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
	resolve_close(&filter->resolve);
	filter_become_lower(stream);
}

static enum io
proxy_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_filter *filter = stream->impl;
	enum io result = IO_OK;
	if (filter->deadline == 0)
		filter->deadline = clock_after(now, filter->wait);
	if (filter->state != PROXY_FILTER_TALKING)
		result = proxy_filter_resolve(stream, pollset, fault);
	if (result == IO_OK)
		result = proxy_filter_talk(stream, fault);
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
	resolve_close(&filter->resolve);
}

/* It is read and written only after it has become the connection. */
static const struct stream_ops proxy_filter_ops = {
	.open = proxy_filter_open,
	.ask = proxy_filter_ask,
	.close = proxy_filter_close,
};

/* The stream of the connection to the first endpoint, and its header of the PROXY protocol. */
static struct stream *
proxy_filter_start_dial(const struct dial_config *dial, const struct proxy_sender_config *header,
	bool single, struct address *peer, struct fault *fault)
{
	struct stream *top = dialled_new(dial, single, peer, fault);
	if (top == NULL || proxy_sender_add(&top, header, fault))
		return top;
	stream_close(top, false);
	return NULL;
}

/* Puts the filter of the proxy on top, above TLS if the proxy has it. */
static bool
proxy_filter_add(struct stream **top, const struct proxy_chain *chain, size_t hop,
	const struct dial_config *dial, struct fault *fault)
{
	const struct proxy *proxy = &chain->list[hop];
	const struct tls_filter_config tls = {
		.tls = proxy->kind->secure ? chain->tls : NULL,
		.name = proxy->endpoint.host,
		.limit = dial->wait,
	};
	if (!tls_filter_add(top, &tls, fault))
		return false;
	char *name = endpoint_print(proxy_next(chain, hop, &dial->to));
	struct stream *stream = name != NULL
		? filter_add(top, &proxy_filter_ops, sizeof(struct proxy_filter), fault)
		: NULL;
	if (stream == NULL) {
		free(name);
		return false;
	}
	free(stream->name);
	stream->name = name;
	*(struct proxy_filter *)stream->impl = (struct proxy_filter){
		.chain = chain,
		.target = dial->to,
		.hosts = dial->hosts,
		.destinations = dial->destinations,
		.error = dial->error,
		.hop = hop,
		/* The tries have deadlines of their own. */
		.deadline = dial->retry.most > 0 ? 0 : dial->deadline,
		.wait = dial->wait,
		.resolve = { .fd = -1 },
	};
	return true;
}

struct stream *
proxy_filter_dial(const struct proxy_chain *chain, const struct dial_config *dial,
	const struct proxy_sender_config *header, bool single, struct address *peer,
	struct fault *fault)
{
	struct dial_config first = *dial;
	if (chain->count == 0 || dial->to.direct)
		return proxy_filter_start_dial(dial, header, single, peer, fault);
	first.to = chain->list[0].endpoint;
	/* They are for the target. */
	first.destinations = NULL;
	first.error = NULL;
	struct stream *top = proxy_filter_start_dial(&first, header, single, peer, fault);
	for (size_t i = 0; top != NULL && i < chain->count; i++)
		if (!proxy_filter_add(&top, chain, i, dial, fault)) {
			stream_close(top, false);
			(void)fault_set(fault, STATUS_MEMORY, 0, "connect");
			return NULL;
		}
	return top;
}
