/* Passing: makes a connection and passes it to the process at the other end of standard output. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/proxy_route.h"
#include "mode/mode.h"
#include "stream/dialled.h"
#include "sys/sys.h"

struct fdpass {
	struct task task; /* first: found by its address */
	struct run *run;
	struct dial dial;
	struct stream *stream; /* owned; through proxies, or with a header; NULL: the dial */
	int64_t deadline;      /* of the stream */
	int fd;                /* the connection, of the dial or the stream; -1: none yet */
	struct retry retried;
	bool passed;
};

static bool
fdpass_fail(int error, struct fault *fault)
{
	return fault_set(fault, STATUS_OUTPUT, error, "pass the connection over standard output");
}

/* Prepares the connection for its receiver: blocking, and without reset on close. */
static bool
fdpass_prepare(struct fdpass *pass, struct fault *fault)
{
	const struct config *config = pass->run->config;
	const struct dial *dial = &pass->dial;
	/* A connection that was reset would look like one that ended cleanly. */
	if (dial->error != 0)
		return fault_set(fault, STATUS_RECEIVE, dial->error, "receive from %s", dial->name);
	if (!sockopt_apply(&config->sockopts, pass->fd, SOCKOPT_CONNECTED, false, fault))
		return false;
	/* An inherited socket is shared with its owner: do not change its mode. */
	if (config->listen_fds_count == 0 && !sys_set_nonblocking(pass->fd, false, NULL))
		return fdpass_fail(errno, fault);
	(void)transport_abort_on_close(config->transport, pass->fd, false);
	return true;
}

/* Passes the connection; while the socket has no room the engine waits. */
static bool
fdpass_send(struct fdpass *pass, struct fault *fault)
{
	if (!sys_pass_descriptor(STDOUT_FILENO, pass->fd)) {
		if (sys_would_block(errno))
			return true;
		return fdpass_fail(errno, fault);
	}
	/* The path belongs to the socket that was passed. */
	unix_path_leave(&pass->dial.file);
	if (pass->stream != NULL)
		dialled_leave_file(pass->stream);
	pass->passed = true;
	engine_remove(&pass->run->engine, &pass->task);
	return true;
}

/* One step of connecting; `pollset` is NULL at the first. */
static enum io
fdpass_connect(struct fdpass *pass, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct dial *dial = &pass->dial;
	enum io result = pass->stream != NULL ? stream_open(pass->stream, pollset, now, fault)
		: pollset == NULL             ? dial_start(dial, now, fault)
					      : dial_step(dial, pollset, now, fault);
	if (result == IO_OK && pass->stream == NULL)
		dial_report(dial);
	if (result == IO_OK)
		pass->fd = pass->stream != NULL ? pass->stream->write.fd : dial->fd;
	if (result == IO_AGAIN && now >= pass->deadline &&
		!stream_take_verdict(pass->stream, fault))
		(void)fault_set(
			fault, STATUS_TIMEOUT, 0, "connect %s: timed out", pass->stream->name);
	if (fault_is_set(fault))
		return IO_FAIL;
	return result;
}

static bool
fdpass_advance(struct fdpass *pass, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	enum io result = fdpass_connect(pass, pollset, now, fault);
	if (result != IO_OK)
		return result == IO_AGAIN;
	return fdpass_prepare(pass, fault) && fdpass_send(pass, fault);
}

static void
fdpass_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	struct fdpass *pass = (struct fdpass *)task;
	(void)now;
	task->reopened = true;
	if (pass->fd != -1)
		(void)pollset_ask(pollset, STDOUT_FILENO, POLLOUT);
	else if (pass->stream == NULL)
		dial_ask(&pass->dial, pollset);
	else
		stream_ask_open(pass->stream, pollset);
	if (pass->fd == -1)
		pollset_until(pollset, pass->deadline);
}

static bool
fdpass_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct fdpass *pass = (struct fdpass *)task;
	struct engine *engine = &pass->run->engine;
	if (engine->end_signal != 0)
		return fault_set_signal(fault, engine->end_signal);
	if (pass->fd != -1)
		return fdpass_send(pass, fault);
	if (engine->wants_report)
		event_emit(&(struct event){ .kind = EVENT_connecting,
			.peer = pass->stream != NULL ? pass->stream->name : pass->dial.name });
	engine->wants_report = false;
	return fdpass_advance(pass, pollset, now, fault);
}

static const struct task_ops fdpass_task = {
	.name = "pass", .ask = fdpass_ask, .step = fdpass_step
};

/* Chooses between the dial and a stream. */
static bool
fdpass_open(struct fdpass *pass, struct fault *fault)
{
	const struct config *config = pass->run->config;
	const struct proxy_sender_config header = config_header(config);
	int64_t now = pass->run->engine.now;
	pass->dial.config = config_dial(config, now);
	pass->dial.config.retried = &pass->retried;
	if (header.version == 0 && (config->proxies.count == 0 || config->endpoint.direct))
		return true;
	/* With retries each try has a limit of its own. */
	if (config->retry.most == 0)
		pass->deadline = clock_after(now, config->wait);
	pass->stream =
		proxy_route_dial(&config->proxies, &pass->dial.config, &header, false, NULL, fault);
	return pass->stream != NULL;
}

static bool
fdpass_run(struct run *run, struct fault *fault)
{
	struct fdpass pass = {
		.run = run, .dial = { .fd = -1 }, .deadline = CLOCK_NEVER, .fd = -1
	};
	struct engine *engine = &run->engine;
	struct address own;
	/* Other sockets would transmit the byte without the descriptor. */
	if (!address_of_socket(&own, STDOUT_FILENO) || own.any.sa_family != AF_UNIX)
		return fault_set(fault, STATUS_OUTPUT, 0,
			"pass the connection over standard output: it is not a Unix socket");
	bool done = fdpass_open(&pass, fault) && fdpass_advance(&pass, NULL, engine->now, fault) &&
		(pass.passed || engine_add(engine, &pass.task, &fdpass_task, fault)) &&
		engine_run(engine, fault);
	/* Not passed: reset, so that the peer sees no clean end. */
	if (pass.fd != -1 && !pass.passed)
		(void)transport_abort_on_close(run->config->transport, pass.fd, true);
	engine_remove(engine, &pass.task);
	stream_close(pass.stream, pass.passed);
	dial_close(&pass.dial);
	return done;
}

const struct mode fdpass_mode = { .name = "pass", .run = fdpass_run };
