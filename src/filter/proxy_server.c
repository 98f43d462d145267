/* The client's side of a proxy server; see proxy_server.h. */
#include "filter/proxy_server.h"

#include <stdlib.h>

#include "base/clock.h"
#include "filter/filter.h"

/* How long a refused client may take to receive the answer, and then to end the connection. */
#define PROXY_SERVER_LINGER (2 * CLOCK_SECOND)

/* The answer to a wrong password is delayed, to slow guessing down. */
#define PROXY_SERVER_DELAY CLOCK_SECOND

enum proxy_server_state {
	PROXY_SERVER_READING,   /* the request */
	PROXY_SERVER_ANSWERING, /* the target is connected */
	PROXY_SERVER_DELAYING,  /* the answer to a wrong password */
	PROXY_SERVER_REFUSING,  /* the answer is sent */
	PROXY_SERVER_LEAVING    /* the end of the connection is awaited */
};

struct proxy_server {
	int64_t limit; /* of the request, a span */
	enum proxy_server_state state;
	int64_t deadline;   /* of the state; 0: not set yet */
	bool more;          /* a refused client has sent more than was read */
	bool shut;          /* it has received the answer */
	bool ended;         /* it has ended its sending */
	size_t sent;        /* bytes of the answers */
	struct fault fault; /* why the client is refused */
	struct proxy_request request;
	size_t start, end; /* of what was read, but not taken */
	unsigned char in[PROXY_REQUEST_IN];
};

/* Takes over the state of the stream below. */
static void
proxy_server_follow(struct stream *stream)
{
	stream_follow(stream);
	/* It has time limits of its own. */
	stream->caps.retries = true;
}

static enum io
proxy_server_fault(
	const struct stream *stream, enum status status, const char *cause, struct fault *fault)
{
	const struct proxy_server *server = stream->impl;
	return IO_FAULT(fault, status, 0, "request of %s (%s): %s", stream->name,
		proxy_request_name(&server->request), cause);
}

/* Sends what is left of the answers. */
static enum io
proxy_server_send(struct stream *stream, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	const struct proxy_request *request = &server->request;
	enum io result =
		filter_send(stream, request->out, request->out_length, &server->sent, fault);
	proxy_server_follow(stream);
	return result;
}

/* --- the states --- */

/* Reads all that the client has sent, which may be more than the request. */
static enum io
proxy_server_receive(struct stream *stream, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	if (server->start < server->end)
		return IO_OK;
	server->start = server->end = 0;
	enum io result = proxy_server_send(stream, fault);
	if (result == IO_OK)
		result = filter_receive(stream, server->in, sizeof server->in, &server->end, fault);
	proxy_server_follow(stream);
	return result;
}

/* Takes the request. IO_OK: there is a target, or the client is refused. */
static enum io
proxy_server_read(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	struct proxy_request *request = &server->request;
	enum proxy_request_result taken = PROXY_REQUEST_MORE;
	while (taken == PROXY_REQUEST_MORE) {
		enum io result = proxy_server_receive(stream, fault);
		if (result == IO_END)
			return proxy_server_fault(
				stream, STATUS_PROXY, "the connection was closed", fault);
		if (result != IO_OK)
			return result;
		size_t n = server->end - server->start;
		n = n < request->wants ? n : request->wants;
		taken = proxy_request_take(request, server->in + server->start, n);
		server->start += n;
	}
	server->state = PROXY_SERVER_ANSWERING;
	if (taken == PROXY_REQUEST_TARGET || taken == PROXY_REQUEST_ASSOCIATE)
		return IO_OK;
	(void)proxy_server_fault(stream, STATUS_PROXY, request->words, &server->fault);
	server->state = request->wrong_login ? PROXY_SERVER_DELAYING : PROXY_SERVER_REFUSING;
	server->deadline =
		clock_after(now, request->wrong_login ? PROXY_SERVER_DELAY : PROXY_SERVER_LINGER);
	return IO_OK;
}

/* Waits for the client to end the connection. */
static enum io
proxy_server_leave(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	struct fault ignored = FAULT_NONE;
	enum io shut = server->shut ? IO_OK : stream_shut(stream->lower, true, &ignored);
	enum io result = filter_discard(stream, &ignored);
	server->shut = shut == IO_OK;
	server->more = result == IO_OK;
	server->ended = result == IO_END;
	fault_clear(&ignored);
	proxy_server_follow(stream);
	if (shut != IO_FAIL && result != IO_FAIL && (shut == IO_AGAIN || result != IO_END) &&
		now < server->deadline)
		return IO_AGAIN;
	fault_move(fault, &server->fault);
	return IO_FAIL;
}

enum io
proxy_server_step(struct stream *stream, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	if (server->state == PROXY_SERVER_DELAYING) {
		if (now < server->deadline)
			return IO_AGAIN;
		server->state = PROXY_SERVER_REFUSING;
		server->deadline = clock_after(now, PROXY_SERVER_LINGER);
	}
	if (server->state != PROXY_SERVER_LEAVING) {
		enum io result = proxy_server_send(stream, fault);
		bool late = result == IO_AGAIN && now >= server->deadline;
		/* A client that does not wait for the answer must not hide why it is refused. */
		if (server->state == PROXY_SERVER_REFUSING && (result == IO_FAIL || late)) {
			fault_clear(fault);
			fault_move(fault, &server->fault);
			return IO_FAIL;
		}
		if (result != IO_OK)
			return result;
		if (server->state == PROXY_SERVER_ANSWERING) {
			bool left = filter_leave(stream, server->in + server->start,
				server->end - server->start, fault);
			return left ? IO_OK : IO_FAIL;
		}
		server->state = PROXY_SERVER_LEAVING;
		server->deadline = clock_after(now, PROXY_SERVER_LINGER);
	}
	return proxy_server_leave(stream, now, fault);
}

/* --- the stream --- */

static enum io
proxy_server_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	(void)pollset;
	if (server->deadline == 0)
		server->deadline = clock_after(now, server->limit);
	if (server->state == PROXY_SERVER_READING) {
		enum io result = proxy_server_read(stream, now, fault);
		if (result == IO_AGAIN && now >= server->deadline)
			return proxy_server_fault(stream, STATUS_TIMEOUT, "timed out", fault);
		if (result != IO_OK || server->state == PROXY_SERVER_ANSWERING)
			return result;
	}
	return proxy_server_step(stream, now, fault);
}

void
proxy_server_ask(const struct stream *stream, struct pollset *pollset)
{
	const struct proxy_server *server = stream->impl;
	const struct stream *client = stream->lower;
	bool sends = server->sent < server->request.out_length || client->buffered;
	if (server->state != PROXY_SERVER_ANSWERING)
		pollset_until(pollset, server->more ? STREAM_NOW : server->deadline);
	if (server->state == PROXY_SERVER_DELAYING)
		return;
	if (sends || (server->state == PROXY_SERVER_LEAVING && !server->shut))
		(void)stream_ask(&client->write, pollset);
	if (!sends && !server->ended)
		(void)stream_ask(&client->read, pollset);
}

/* While the target is connected to, it is only looked at. */
static enum io
proxy_server_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	enum io result = filter_write(stream, pieces, count, put, fault);
	proxy_server_follow(stream);
	return result;
}

static void
proxy_server_end(struct stream *stream, bool clean)
{
	struct proxy_server *server = stream->impl;
	(void)clean;
	fault_clear(&server->fault);
}

/* It is read only after it has become the stream below. */
static const struct stream_ops proxy_server_ops = {
	.open = proxy_server_open,
	.ask = proxy_server_ask,
	.write = proxy_server_write,
	.close = proxy_server_end,
};

bool
proxy_server_add(struct stream **top, const struct proxy_server_config *config, struct fault *fault)
{
	const struct proxy_request_rules rules = { .protocols = config->protocols,
		.datagrams = config->datagrams,
		.numeric = config->numeric,
		.users = &config->users };
	if (config->protocols == 0)
		return true;
	struct stream *stream =
		filter_add(top, &proxy_server_ops, sizeof(struct proxy_server), fault);
	if (stream == NULL)
		return false;
	struct proxy_server *server = stream->impl;
	server->limit = config->limit;
	stream->caps.retries = true;
	proxy_request_start(&server->request, &rules);
	return true;
}

struct stream *
proxy_server_find(struct stream *top)
{
	while (top->ops != &proxy_server_ops)
		top = top->lower;
	return top;
}

const struct proxy_request *
proxy_server_request(const struct stream *stream)
{
	const struct proxy_server *server = stream->impl;
	return &server->request;
}

void
proxy_server_bind(struct stream *stream, const struct address *bound)
{
	struct proxy_server *server = stream->impl;
	server->request.bound = *bound;
}

void
proxy_server_answer(
	struct stream *stream, enum proxy_request_outcome outcome, int64_t now, struct fault *fault)
{
	struct proxy_server *server = stream->impl;
	proxy_request_answer(&server->request, outcome);
	if (outcome == PROXY_REQUEST_CONNECTED)
		return;
	fault_move(&server->fault, fault);
	server->state = PROXY_SERVER_REFUSING;
	server->deadline = clock_after(now, PROXY_SERVER_LINGER);
}

void
proxy_server_close(struct proxy_server_config *config)
{
	proxy_users_close(&config->users);
	destinations_close(&config->destinations);
}
