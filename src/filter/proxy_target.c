/* The target of a client of a proxy server; see proxy_target.h. */
#include "filter/proxy_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "filter/proxy_route.h"
#include "filter/udp_associate.h"

struct proxy_target {
	struct stream *client; /* not owned */
	struct stream *server; /* not owned: the filter below */
	struct stream *target; /* owned */
	bool answers;          /* connecting has ended */
	int error;             /* of connecting; 0: not known */
};

/* How connecting has failed. */
static enum proxy_request_outcome
proxy_target_outcome(int error, const struct fault *fault)
{
	if (fault->status == STATUS_TIMEOUT)
		return PROXY_REQUEST_TIMED_OUT;
	if (fault->status == STATUS_RESOLVE)
		return PROXY_REQUEST_UNKNOWN;
	switch (error) {
	case EACCES:
	case EPERM:
		return PROXY_REQUEST_DENIED;
	case ECONNREFUSED:
		return PROXY_REQUEST_NO_LISTENER;
	case ENETUNREACH:
	case EADDRNOTAVAIL:
		return PROXY_REQUEST_NO_NETWORK;
	case EHOSTUNREACH:
		return PROXY_REQUEST_NO_HOST;
	case ETIMEDOUT:
		return PROXY_REQUEST_TIMED_OUT;
	default:
		return PROXY_REQUEST_FAILED;
	}
}

/* The stream becomes that of the connection. */
static enum io
proxy_target_become(struct stream *stream)
{
	struct proxy_target *target = stream->impl;
	struct stream *made = target->target;
	free(target);
	free(stream->name);
	*stream = *made;
	free(made);
	return IO_OK;
}

static enum io
proxy_target_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_target *target = stream->impl;
	enum io result = IO_OK;
	if (!target->answers) {
		struct fault cause = FAULT_NONE;
		result = stream_open(target->target, pollset, now, &cause);
		if (result == IO_AGAIN)
			return IO_AGAIN;
		target->answers = true;
		proxy_server_answer(target->server,
			result == IO_OK ? PROXY_REQUEST_CONNECTED
					: proxy_target_outcome(target->error, &cause),
			now, &cause);
		/* Its end is found by reading. */
		if (result != IO_OK)
			target->client->hangup.fd = -1;
	}
	result = proxy_server_step(target->server, now, fault);
	if (result == IO_AGAIN && target->client != target->server)
		target->client->hangup.fd = -1;
	return result == IO_OK ? proxy_target_become(stream) : result;
}

static void
proxy_target_ask(const struct stream *stream, struct pollset *pollset)
{
	const struct proxy_target *target = stream->impl;
	if (target->answers)
		proxy_server_ask(target->server, pollset);
	else
		stream_ask_open(target->target, pollset);
}

static void
proxy_target_close(struct stream *stream, bool clean)
{
	struct proxy_target *target = stream->impl;
	stream_close(target->target, clean);
}

/* It is read and written only after it has become the connection. */
static const struct stream_ops proxy_target_ops = {
	.open = proxy_target_open,
	.ask = proxy_target_ask,
	.close = proxy_target_close,
};

/* The stream that connects. */
static struct stream *
proxy_target_dial(struct proxy_target *target, const struct proxy_server_config *config,
	const struct proxy_chain *chain, const struct dial_config *how, struct fault *fault)
{
	static const struct proxy_sender_config none;
	struct dial_config dial = *how;
	struct address own;
	dial.to = proxy_server_request(target->server)->target;
	dial.destinations = &config->destinations;
	dial.error = &target->error;
	if (address_of_socket(&own, target->client->write.fd))
		dial.own_port = address_port(&own);
	if (!proxy_except(chain, &dial.to, fault))
		return NULL;
	return proxy_route_dial(chain, &dial, &none, false, NULL, fault);
}

struct stream *
proxy_target_new(const struct proxy_server_config *config, const struct proxy_chain *chain,
	const struct dial_config *dial, struct stream *client, const struct address *peer,
	struct fault *fault)
{
	struct stream *server = proxy_server_find(client);
	const struct proxy_request *request = proxy_server_request(server);
	if (request->associates)
		return udp_associate_new(config, dial->hosts, client, peer, fault);
	struct stream *stream = stream_new(&proxy_target_ops, endpoint_print(&request->target),
		sizeof(struct proxy_target), fault);
	if (stream == NULL)
		return NULL;
	struct proxy_target *target = stream->impl;
	target->client = client;
	target->server = server;
	/* It has time limits of its own. */
	stream->caps.retries = true;
	target->target = proxy_target_dial(target, config, chain, dial, fault);
	if (target->target == NULL) {
		stream_close(stream, false);
		return NULL;
	}
	event_emit(&(struct event){ .kind = EVENT_requested,
		.peer = server->name,
		.target = stream->name,
		.object = proxy_request_name(request) });
	return stream;
}
