/* Serving as a proxy; see proxy_server.h. */
#include "filter/proxy_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/proxy_filter.h"

/* How long a refused client may take to end the connection. */
#define PROXY_SERVER_LINGER (2 * CLOCK_SECOND)

/* The answer to a wrong password is delayed, to slow guessing down. */
#define PROXY_SERVER_DELAY CLOCK_SECOND

/* The most reads of a refused client in one turn. */
#define PROXY_SERVER_READS 4

enum proxy_server_state {
	PROXY_SERVER_READING,    /* the request */
	PROXY_SERVER_CONNECTING, /* to the target */
	PROXY_SERVER_ANSWERING,  /* the connection is made */
	PROXY_SERVER_DELAYING,   /* the answer to a wrong password */
	PROXY_SERVER_REFUSING,   /* the answer is sent */
	PROXY_SERVER_LEAVING     /* the end of the connection is awaited */
};

struct proxy_server {
	const struct proxy_server_config *config; /* not owned */
	const struct proxy_chain *chain;          /* not owned */
	struct dial_config dial;
	struct stream *client; /* not owned */
	struct stream *target; /* owned; NULL: not known yet */
	enum proxy_server_state state;
	int64_t deadline;
	bool more;          /* a refused client has sent more than was read */
	bool shut;          /* it has received the answer */
	bool ended;         /* it has ended its sending */
	size_t sent;        /* bytes of the answers */
	int error;          /* of connecting; 0: not known */
	struct fault fault; /* why the client is refused */
	struct proxy_request request;
};

static enum io
proxy_server_refuse(struct stream *stream, int64_t now)
{
	struct proxy_server *server = stream->impl;
	const struct proxy_request *request = &server->request;
	if (!fault_is_set(&server->fault))
		(void)fault_set(&server->fault, STATUS_PROXY, 0, "%s (%s): %s", stream->name,
			proxy_request_name(request), request->words);
	server->state = request->wrong_login ? PROXY_SERVER_DELAYING : PROXY_SERVER_REFUSING;
	server->deadline = clock_after(now, PROXY_SERVER_DELAY);
	return IO_OK;
}

/* Sends what is left of the answers. */
static enum io
proxy_server_send(struct proxy_server *server, struct fault *fault)
{
	struct proxy_request *request = &server->request;
	enum io result = IO_OK;
	while (result == IO_OK && server->sent < request->out_length) {
		struct iovec piece = { request->out + server->sent,
			request->out_length - server->sent };
		size_t put = 0;
		result = stream_write(server->client, &piece, 1, &put, fault);
		server->sent += put;
	}
	/* A filter may hold some of it back. */
	if (result == IO_OK && server->client->buffered) {
		size_t put = 0;
		result = stream_write(server->client, NULL, 0, &put, fault);
	}
	return result;
}

/* --- the states --- */

/* The target is known: begins to connect. */
static enum io
proxy_server_connect(struct stream *stream, int64_t now, struct fault *fault)
{
	static const struct proxy_sender_config none;
	struct proxy_server *server = stream->impl;
	struct address own;
	struct dial_config dial = server->dial;
	dial.to = server->request.target;
	dial.deadline = clock_after(now, dial.wait);
	dial.destinations = &server->config->destinations;
	dial.error = &server->error;
	if (address_of_socket(&own, server->client->write.fd))
		dial.own_port = address_port(&own);
	server->target = proxy_filter_dial(server->chain, &dial, &none, false, NULL, fault);
	server->state = PROXY_SERVER_CONNECTING;
	if (server->target == NULL)
		return IO_FAIL;
	event_emit(&(struct event){ .kind = EVENT_requested,
		.peer = server->client->name,
		.target = server->target->name,
		.object = proxy_request_name(&server->request) });
	return IO_OK;
}

/* Reads the request. */
static enum io
proxy_server_read(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	struct proxy_request *request = &server->request;
	enum proxy_request_result taken = PROXY_REQUEST_MORE;
	while (taken == PROXY_REQUEST_MORE) {
		unsigned char bytes[PROXY_REQUEST_IN];
		struct iovec piece = { bytes,
			request->wants < sizeof bytes ? request->wants : sizeof bytes };
		size_t got = 0;
		enum io result = proxy_server_send(server, fault);
		if (result == IO_OK)
			result = stream_read(server->client, &piece, 1, &got, fault);
		if (result == IO_END)
			return IO_FAULT(fault, STATUS_PROXY, 0,
				"%s (%s): the connection was closed", stream->name,
				proxy_request_name(request));
		if (result != IO_OK)
			return result;
		taken = proxy_request_take(request, bytes, got);
	}
	return taken == PROXY_REQUEST_TARGET ? proxy_server_connect(stream, now, fault)
					     : proxy_server_refuse(stream, now);
}

/* How connecting has failed. */
static enum proxy_request_outcome
proxy_server_outcome(const struct proxy_server *server)
{
	switch (server->error) {
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
		break;
	}
	return server->fault.status == STATUS_RESOLVE    ? PROXY_REQUEST_UNKNOWN
		: server->fault.status == STATUS_TIMEOUT ? PROXY_REQUEST_TIMED_OUT
							 : PROXY_REQUEST_FAILED;
}

/* Connects to the target. */
static enum io
proxy_server_dial(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	enum io result = stream_open(server->target, pollset, now, &server->fault);
	(void)fault;
	if (result == IO_AGAIN)
		return IO_AGAIN;
	server->state = PROXY_SERVER_ANSWERING;
	if (result == IO_OK) {
		proxy_request_answer(&server->request, PROXY_REQUEST_CONNECTED);
		return IO_OK;
	}
	if (server->fault.status == STATUS_TIMEOUT)
		server->error = ETIMEDOUT;
	proxy_request_answer(&server->request, proxy_server_outcome(server));
	return proxy_server_refuse(stream, now);
}

/* Waits for the client to end the connection. */
static enum io
proxy_server_leave(struct proxy_server *server, int64_t now, struct fault *fault)
{
	struct stream *client = server->client;
	struct fault ignored = FAULT_NONE;
	enum io result = IO_OK, shut = IO_OK;
	if (!server->shut)
		shut = stream_shut(client, true, &ignored);
	server->shut = shut == IO_OK;
	for (int i = 0; i < PROXY_SERVER_READS && result == IO_OK; i++) {
		unsigned char bytes[4096];
		struct iovec piece = { bytes, sizeof bytes };
		size_t got = 0;
		result = stream_read(client, &piece, 1, &got, &ignored);
	}
	fault_clear(&ignored);
	/* Its end is found by reading. */
	client->hangup.fd = -1;
	server->more = result == IO_OK;
	server->ended = result == IO_END;
	bool waits = shut == IO_AGAIN || result == IO_OK || result == IO_AGAIN;
	if (waits && shut != IO_FAIL && now < server->deadline)
		return IO_AGAIN;
	fault_move(fault, &server->fault);
	return IO_FAIL;
}

/* --- the stream --- */

/* The stream becomes that of the connection. */
static enum io
proxy_server_become(struct stream *stream)
{
	struct proxy_server *server = stream->impl;
	struct stream *target = server->target;
	fault_clear(&server->fault);
	free(server);
	free(stream->name);
	*stream = *target;
	free(target);
	return IO_OK;
}

/* A step of a state: IO_OK: another step can follow. */
static enum io
proxy_server_step(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	enum io result;
	switch (server->state) {
	case PROXY_SERVER_READING:
		return proxy_server_read(stream, now, fault);
	case PROXY_SERVER_CONNECTING:
		return proxy_server_dial(stream, pollset, now, fault);
	case PROXY_SERVER_DELAYING:
		if (now < server->deadline)
			return IO_AGAIN;
		server->state = PROXY_SERVER_REFUSING;
		break;
	case PROXY_SERVER_REFUSING:
		result = proxy_server_send(server, fault);
		if (result == IO_OK) {
			server->state = PROXY_SERVER_LEAVING;
			server->deadline = clock_after(now, PROXY_SERVER_LINGER);
		}
		return result;
	case PROXY_SERVER_LEAVING:
		return proxy_server_leave(server, now, fault);
	case PROXY_SERVER_ANSWERING:
		break;
	}
	return IO_OK;
}

static enum io
proxy_server_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	enum io result = IO_OK;
	while (result == IO_OK && server->state != PROXY_SERVER_ANSWERING)
		result = proxy_server_step(stream, pollset, now, fault);
	if (result == IO_OK)
		result = proxy_server_send(server, fault);
	if (result == IO_OK)
		return proxy_server_become(stream);
	if (result == IO_AGAIN && server->state == PROXY_SERVER_READING && now >= server->deadline)
		return IO_FAULT(fault, STATUS_TIMEOUT, 0, "%s (%s): timed out", stream->name,
			proxy_request_name(&server->request));
	return result;
}

static void
proxy_server_ask(const struct stream *stream, struct pollset *pollset)
{
	struct proxy_server *server = stream->impl;
	const struct stream *client = server->client;
	bool sends = server->sent < server->request.out_length || client->buffered;
	if (server->state == PROXY_SERVER_CONNECTING) {
		stream_ask_open(server->target, pollset);
		return;
	}
	if (server->state != PROXY_SERVER_ANSWERING)
		pollset_until(pollset, server->more ? STREAM_NOW : server->deadline);
	if (server->state == PROXY_SERVER_DELAYING)
		return;
	if (sends || (server->state == PROXY_SERVER_LEAVING && !server->shut))
		(void)stream_ask(&client->write, pollset);
	if (!sends && !server->ended)
		(void)stream_ask(&client->read, pollset);
}

static void
proxy_server_end(struct stream *stream, bool clean)
{
	struct proxy_server *server = stream->impl;
	fault_clear(&server->fault);
	stream_close(server->target, clean);
}

/* It is read and written only after it has become the connection. */
static const struct stream_ops proxy_server_ops = {
	.open = proxy_server_open,
	.ask = proxy_server_ask,
	.close = proxy_server_end,
};

struct stream *
proxy_server_new(const struct proxy_server_config *config, const struct proxy_chain *chain,
	const struct dial_config *dial, struct stream *client, int64_t now, struct fault *fault)
{
	static const char prefix[] = "request of ";
	const struct proxy_request_rules rules = {
		.protocols = config->protocols, .numeric = config->numeric, .users = &config->users
	};
	char *name = malloc(sizeof prefix + strlen(client->name));
	if (name != NULL) {
		memcpy(name, prefix, sizeof prefix - 1);
		memcpy(name + sizeof prefix - 1, client->name, strlen(client->name) + 1);
	}
	struct stream *stream =
		stream_new(&proxy_server_ops, name, sizeof(struct proxy_server), fault);
	if (stream == NULL)
		return NULL;
	struct proxy_server *server = stream->impl;
	server->config = config;
	server->chain = chain;
	server->dial = *dial;
	server->client = client;
	server->deadline = clock_after(now, config->limit);
	proxy_request_start(&server->request, &rules);
	/* It has time limits of its own. */
	stream->caps.retries = true;
	return stream;
}

void
proxy_server_close(struct proxy_server_config *config)
{
	proxy_users_close(&config->users);
	destinations_close(&config->destinations);
}
