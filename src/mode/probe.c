/*
 * One probe; see probe.h.
 *
 * A datagram socket is probed with a request (udp_query.h). Silence is no answer, as the port may
 * be open or the packet lost.
 */
#include "mode/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "filter/proxy_route.h"
#include "mode/probe_banner.h"
#include "mode/probe_state.h"
#include "stream/datagram.h"
#include "stream/socket.h"
#include "sys/sys.h"

const char *
probe_stage_word(enum probe_stage stage)
{
	static const char *const words[] = { "resolve", "connect", "answer", "handshake" };
	return words[stage];
}

/* --- the result --- */

static void
probe_finish(struct probe *probe)
{
	struct probe_result *result = &probe->result;
	struct probe_queue *queue = probe->queue;
	struct fault *fault = &result->fault;
	int64_t now = clock_now();
	bool quiet = fault->quiet;
	result->state = probe_state_of(probe);
	result->stage = probe->dial.state == DIAL_RESOLVING ? PROBE_RESOLVE
		: probe->phase == PROBE_ASKED               ? PROBE_ANSWER
		: probe->phase == PROBE_OPENING             ? PROBE_HANDSHAKE
							    : PROBE_CONNECT;
	if (probe->phase == PROBE_OPENING)
		result->handshake_time = now - probe->connected;
	if (probe->phase == PROBE_READING)
		result->banner = banner_text(&probe->banner);
	else if (probe->resolved != 0)
		result->connect_time = now - probe->resolved;
	else
		result->resolve_time = now - probe->began;
	if (result->state == PROBE_CLOSED) {
		fault_clear(fault);
		if (probe->dial.config.brief)
			fault->status = STATUS_NO;
		else
			(void)fault_set(fault, STATUS_NO, 0, "%s: closed", probe->dial.name);
		fault->quiet = quiet;
	} else if (result->state == PROBE_FILTERED) {
		fault->status = probe_state_status(PROBE_FILTERED);
	}
	engine_remove(queue->engine, &probe->task);
	probe->phase = PROBE_DONE;
	probe->next = NULL;
	*(queue->first != NULL ? &queue->last->next : &queue->first) = probe;
	queue->last = probe;
	engine_wake(queue->engine, queue->owner);
}

struct probe *
probe_queue_take(struct probe_queue *queue)
{
	struct probe *probe = queue->first;
	if (probe != NULL)
		queue->first = probe->next;
	return probe;
}

void
probe_emit(const struct probe *probe, struct event event)
{
	const struct probe_result *result = &probe->result;
	event.state = probe_state_word(result->state);
	event.stage = probe_stage_word(result->stage);
	event.resolve_time = (uint64_t)result->resolve_time;
	event.connect_time = (uint64_t)result->connect_time;
	event.handshake_time = (uint64_t)result->handshake_time;
	event.banner = result->banner;
	if (result->state != PROBE_OPEN)
		event.cause = result->fault.text;
	dial_emit(&probe->dial, event, &probe->dial.peer);
}

/* --- the task --- */

/* Connected; a datagram socket sends a request, and tries the next address if it is refused. */
static enum io
probe_ask(struct probe *probe, int64_t now)
{
	struct dial *dial = &probe->dial;
	const struct dial_config *config = &dial->config;
	struct fault *fault = &probe->result.fault;
	enum io result = IO_OK;
	if (config->inherited != -1 && dial->error != 0)
		return IO_FAULT(fault, STATUS_RECEIVE, dial->error, "receive from %s", dial->name);
	if (config->transport->connected || config->transport->names == TRANSPORT_UNIX ||
		probe->secure)
		return IO_OK;
	while (result == IO_OK) {
		uint16_t port = probe->queue->empty ? 0 : (uint16_t)address_port(&dial->peer);
		udp_query_start(&probe->query, port, now, config->deadline);
		if (udp_query_send(&probe->query, dial->fd, now)) {
			probe->phase = PROBE_ASKED;
			return IO_AGAIN;
		}
		result = dial_refused(dial, errno, now, fault);
	}
	return result;
}

/* Sends the request and reads the banner as far as possible now. */
static enum io
probe_read(struct probe *probe, int64_t now)
{
	enum io result = probe_banner_step(&probe->banner, probe->queue->banner, probe->stream);
	return result == IO_AGAIN && now >= probe->read_until ? IO_OK : result;
}

static bool
probe_reads(const struct probe *probe)
{
	const struct banner_config *config = probe->queue->banner;
	return config != NULL && config->wanted && probe->dial.config.transport->connected;
}

/* Open: finished, unless its banner is to be read. */
static enum io
probe_opened(struct probe *probe, int64_t now)
{
	const struct banner_config *config = probe->queue->banner;
	struct probe_result *result = &probe->result;
	if (!probe_reads(probe))
		return IO_OK;
	int64_t opened = clock_now();
	if (probe->secure)
		result->handshake_time = opened - probe->connected;
	result->connect_time = opened - probe->resolved;
	probe->phase = PROBE_READING;
	/* The mark would delay what is read. */
	probe->stream->caps.lowat = NULL;
	probe->read_until =
		clock_earlier(probe->dial.config.deadline, clock_after(now, config->wait));
	return probe_read(probe, now);
}

/* The handshake. */
static enum io
probe_open(struct probe *probe, const struct pollset *pollset, int64_t now)
{
	enum io result = stream_open(probe->stream, pollset, now, &probe->result.fault);
	return result == IO_OK ? probe_opened(probe, now) : result;
}

/* Makes the stream of the connection. False and a fault if there is no memory. */
static bool
probe_make_stream(struct probe *probe, int64_t now)
{
	struct dial *dial = &probe->dial;
	const struct dial_config *config = &dial->config;
	struct fault *fault = &probe->result.fault;
	if (probe->stream == NULL) {
		char *name = strdup(dial->name);
		int fd = dial->fd;
		dial->fd = -1;
		probe->stream = config->transport->connected
			? socket_new(
				  config->transport, fd, SOCKET_UNKNOWN, dial->error, name, fault)
			: datagram_new(config->transport, fd, name, DATAGRAM_CONNECTED, &dial->peer,
				  true, fault);
		if (probe->stream != NULL && !config->transport->connected)
			datagram_redial(probe->stream, dial);
	}
	if (probe->stream == NULL || !probe->secure)
		return probe->stream != NULL;
	probe->tls = *probe->queue->tls;
	if (probe->tls.name == NULL && config->to.names == TRANSPORT_INET)
		probe->tls.name = config->to.host;
	probe->tls.limit = config->deadline == CLOCK_NEVER ? CLOCK_NEVER : config->deadline - now;
	return tls_filter_add(&probe->stream, &probe->tls, fault);
}

/* Connected: opens TLS, and reads the banner. */
static enum io
probe_connected(struct probe *probe, int64_t now)
{
	if (!probe->secure && !probe_reads(probe))
		return IO_OK;
	probe->connected = clock_now();
	probe->phase = PROBE_OPENING;
	return probe_make_stream(probe, now) ? probe_open(probe, NULL, now) : IO_FAIL;
}

/* Connects through the proxies. */
static enum io
probe_tunnel(struct probe *probe, const struct pollset *pollset, int64_t now)
{
	enum io result = stream_open(probe->stream, pollset, now, &probe->result.fault);
	return result == IO_OK ? probe_connected(probe, now) : result;
}

static enum io
probe_start_tunnel(struct probe *probe, int64_t now)
{
	static const struct proxy_sender_config no_header;
	struct dial *dial = &probe->dial;
	struct fault *fault = &probe->result.fault;
	probe->phase = PROBE_TUNNELLING;
	probe->resolved = now;
	dial->state = DIAL_CONNECTING;
	dial->fd = dial->resolve.fd = -1;
	/* The addresses are not those of the target, which others could use. */
	dial->resolve.given = true;
	dial->config.error = &probe->error;
	dial->name = endpoint_print(&dial->config.to);
	if (dial->name == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "connect");
	probe->stream = proxy_route_dial(
		probe->queue->proxies, &dial->config, &no_header, false, NULL, fault);
	return probe->stream != NULL ? probe_tunnel(probe, NULL, now) : IO_FAIL;
}

static void
probe_end_turn(struct probe *probe, enum io result)
{
	if (result != IO_AGAIN)
		probe_finish(probe);
}

static void
probe_take(struct probe *probe, enum io result, int64_t now)
{
	probe->phase = PROBE_DIALLING;
	if (probe->dial.state != DIAL_RESOLVING && probe->resolved == 0) {
		probe->resolved = now;
		probe->result.resolve_time = probe->resolved - probe->began;
	}
	if (result == IO_OK)
		result = probe_ask(probe, now);
	if (result == IO_OK)
		result = probe_connected(probe, now);
	probe_end_turn(probe, result);
}

/* Handles an answer, a refusal, or the timeout. */
static void
probe_wait(struct probe *probe, const struct pollset *pollset, int64_t now)
{
	struct dial *dial = &probe->dial;
	struct fault *fault = &probe->result.fault;
	char byte;
	struct iovec piece = { &byte, sizeof byte };
	if (pollset_fired(pollset, probe->entry)) {
		ssize_t n = sys_receive(dial->fd, &piece, 1);
		if (n != -1)
			probe_finish(probe);
		else if (!sys_would_block(errno))
			probe_take(probe, dial_refused(dial, errno, now, fault), now);
	} else if (now >= probe->dial.config.deadline) {
		(void)fault_set(fault, STATUS_TIMEOUT, 0,
			"probe %s: no answer, but no refusal either", dial->name);
		probe_finish(probe);
	} else if (!udp_query_send(&probe->query, dial->fd, now)) {
		probe_take(probe, dial_refused(dial, errno, now, fault), now);
	}
}

static void
probe_ask_task(struct task *task, struct pollset *pollset, int64_t now)
{
	struct probe *probe = (struct probe *)task;
	(void)now;
	task->reopened = true;
	if (probe->phase == PROBE_DIALLING) {
		dial_ask(&probe->dial, pollset);
		return;
	}
	if (probe->phase == PROBE_OPENING || probe->phase == PROBE_TUNNELLING) {
		stream_ask_open(probe->stream, pollset);
		return;
	}
	if (probe->phase == PROBE_READING) {
		probe_banner_ask(&probe->banner, probe->queue->banner, probe->stream, pollset);
		pollset_until(pollset, probe->read_until);
		return;
	}
	probe->entry = pollset_ask(pollset, probe->dial.fd, POLLIN);
	pollset_until(pollset, clock_earlier(probe->dial.config.deadline, probe->query.next));
}

static bool
probe_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	(void)fault;
	struct probe *probe = (struct probe *)task;
	struct dial *dial = &probe->dial;
	if (dial->state == DIAL_RESOLVING)
		engine_wake(probe->queue->engine, probe->queue->owner);
	if (probe->phase == PROBE_DIALLING)
		probe_take(probe, dial_step(dial, pollset, now, &probe->result.fault), now);
	else if (probe->phase == PROBE_ASKED)
		probe_wait(probe, pollset, now);
	else if (probe->phase == PROBE_TUNNELLING)
		probe_end_turn(probe, probe_tunnel(probe, pollset, now));
	else if (probe->phase == PROBE_OPENING)
		probe_end_turn(probe, probe_open(probe, pollset, now));
	else
		probe_end_turn(probe, probe_read(probe, now));
	return true;
}

static const struct task_ops probe_task = {
	.name = "probe", .ask = probe_ask_task, .step = probe_step
};

void
probe_start(struct probe *probe, const struct dial_config *config, bool secure,
	struct probe_queue *queue)
{
	struct fault *fault = &probe->result.fault;
	int64_t now = clock_now();
	*probe = (struct probe){ .queue = queue,
		.secure = secure,
		.dial = { .config = *config },
		.entry = POLLSET_NONE,
		.began = now };
	probe->dial.config.probe = true;
	if (queue->proxies->count > 0 && !config->to.direct)
		probe_end_turn(probe, probe_start_tunnel(probe, now));
	else
		probe_take(probe, dial_start(&probe->dial, now, fault), now);
	if (probe->phase != PROBE_DONE &&
		!engine_add(queue->engine, &probe->task, &probe_task, fault))
		probe_finish(probe);
}

void
probe_close(struct probe *probe)
{
	if (probe->queue != NULL)
		engine_remove(probe->queue->engine, &probe->task);
	int fd = probe->stream != NULL ? probe->stream->write.fd : probe->dial.fd;
	if (probe->reset && fd != -1)
		(void)transport_abort_on_close(probe->dial.config.transport, fd, true);
	dial_close(&probe->dial);
	/* A server with DTLS sees no reset. */
	bool datagrams = probe->stream != NULL && probe->stream->caps.endless;
	stream_close(probe->stream, !probe->reset || datagrams);
	fault_clear(&probe->result.fault);
	free(probe->result.banner);
	*probe = (struct probe){ .dial = { .fd = -1 } };
}
