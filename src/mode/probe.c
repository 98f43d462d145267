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

#include "base/clock.h"
#include "sys/sys.h"

static const struct probe_row {
	const char *word;
	enum status status;
} probe_rows[] = {
#define STATE(id, word, status, text) [PROBE_##id] = { word, STATUS_##status },
#include "mode/probe.def"
#undef STATE
};

const char *
probe_state_word(enum probe_state state)
{
	return probe_rows[state].word;
}

const char *
probe_stage_word(enum probe_stage stage)
{
	static const char *const words[] = { "resolve", "connect", "answer" };
	return words[stage];
}

/* --- the result --- */

/* What a failure to connect to any address means. */
static enum probe_state
probe_judge_connect(const struct dial *dial)
{
	bool local = dial->failures.error == 0 || dial->failures.error == EPERM ||
		(dial->failures.error == EACCES && dial->config.to.names == TRANSPORT_UNIX);
	if (dial->failures.refused)
		return PROBE_CLOSED;
	if (dial->failures.error == ETIMEDOUT)
		return PROBE_FILTERED;
	return local ? PROBE_ERROR : PROBE_UNREACHABLE;
}

static enum probe_state
probe_judge(const struct probe *probe)
{
	enum status status = probe->result.fault.status;
	if (status == STATUS_OK)
		return PROBE_OPEN;
	if (status == STATUS_CONNECT)
		return probe_judge_connect(&probe->dial);
	if (status == STATUS_RESOLVE ||
		(status == STATUS_TIMEOUT && probe->dial.state == DIAL_RESOLVING))
		return PROBE_UNRESOLVED;
	if (status == STATUS_TIMEOUT)
		return probe->phase == PROBE_ASKED ? PROBE_OPEN_FILTERED : PROBE_FILTERED;
	return PROBE_ERROR;
}

static void
probe_finish(struct probe *probe)
{
	struct probe_result *result = &probe->result;
	struct probe_queue *queue = probe->queue;
	struct fault *fault = &result->fault;
	int64_t now = clock_now();
	bool quiet = fault->quiet;
	result->state = probe_judge(probe);
	result->stage = probe->dial.state == DIAL_RESOLVING ? PROBE_RESOLVE
		: probe->phase == PROBE_ASKED               ? PROBE_ANSWER
							    : PROBE_CONNECT;
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
		fault->status = probe_rows[PROBE_FILTERED].status;
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
	if (config->transport->connected || config->transport->names == TRANSPORT_UNIX)
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
	enum io result = banner_step(&probe->banner, probe->queue->banner, probe->dial.fd);
	return result == IO_AGAIN && now >= probe->read_until ? IO_OK : result;
}

/* Open: finished, unless its banner is to be read. */
static enum io
probe_connected(struct probe *probe, int64_t now)
{
	const struct banner_config *config = probe->queue->banner;
	const struct dial_config *dial = &probe->dial.config;
	if (config == NULL || !config->wanted || !dial->transport->connected)
		return IO_OK;
	probe->phase = PROBE_READING;
	probe->result.connect_time = clock_now() - probe->resolved;
	probe->read_until = clock_earlier(dial->deadline, clock_after(now, config->wait));
	return probe_read(probe, now);
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
	if (result != IO_AGAIN)
		probe_finish(probe);
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
	if (probe->phase == PROBE_READING) {
		banner_ask(&probe->banner, probe->queue->banner, probe->dial.fd, pollset);
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
	else if (probe_read(probe, now) == IO_OK)
		probe_finish(probe);
	return true;
}

static const struct task_ops probe_task = {
	.name = "probe", .ask = probe_ask_task, .step = probe_step
};

void
probe_start(struct probe *probe, const struct dial_config *config, struct probe_queue *queue)
{
	struct fault *fault = &probe->result.fault;
	int64_t now = clock_now();
	*probe = (struct probe){
		.queue = queue, .dial = { .config = *config }, .entry = POLLSET_NONE, .began = now
	};
	probe->dial.config.probe = true;
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
	if (probe->reset && probe->dial.fd != -1)
		transport_abort_on_close(probe->dial.config.transport, probe->dial.fd, true);
	dial_close(&probe->dial);
	fault_clear(&probe->result.fault);
	free(probe->result.banner);
	*probe = (struct probe){ .dial = { .fd = -1 } };
}
