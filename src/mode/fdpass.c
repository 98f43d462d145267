/* Passing: makes a connection and passes it to the process at the other end of standard output. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/event.h"
#include "mode/mode.h"
#include "sys/sys.h"

struct fdpass {
	struct task task; /* first: found by its address */
	struct run *run;
	struct dial dial;
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
	dial_report(dial);
	/* A connection that was reset would look like one that ended cleanly. */
	if (dial->error != 0)
		return fault_set(fault, STATUS_RECEIVE, dial->error, "receive from %s", dial->name);
	if (!sockopt_apply(&config->sockopts, dial->fd, SOCKOPT_CONNECTED, false, fault))
		return false;
	/* An inherited socket is shared with its owner: do not change its mode. */
	if (config->listen_fds_count == 0 && !sys_set_nonblocking(dial->fd, false, NULL))
		return fdpass_fail(errno, fault);
	transport_abort_on_close(config->transport, dial->fd, false);
	return true;
}

/* Passes the connection; while the socket has no room the engine waits. */
static bool
fdpass_send(struct fdpass *pass, struct fault *fault)
{
	struct dial *dial = &pass->dial;
	if (!sys_pass_descriptor(STDOUT_FILENO, dial->fd)) {
		if (sys_would_block(errno))
			return true;
		return fdpass_fail(errno, fault);
	}
	/* The path belongs to the socket that was passed. */
	unix_path_leave(&dial->file);
	(void)sys_close(&dial->fd);
	pass->passed = true;
	engine_remove(&pass->run->engine, &pass->task);
	return true;
}

static bool
fdpass_advance(struct fdpass *pass, enum io result, struct fault *fault)
{
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
	if (pass->dial.state == DIAL_CONNECTED)
		(void)pollset_ask(pollset, STDOUT_FILENO, POLLOUT);
	else
		dial_ask(&pass->dial, pollset);
}

static bool
fdpass_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct fdpass *pass = (struct fdpass *)task;
	struct dial *dial = &pass->dial;
	struct engine *engine = &pass->run->engine;
	if (engine->end_signal != 0)
		return fault_set_signal(fault, engine->end_signal);
	if (dial->state == DIAL_CONNECTED)
		return fdpass_send(pass, fault);
	if (engine->wants_report)
		event_emit(&(struct event){ .kind = EVENT_connecting, .peer = dial->name });
	engine->wants_report = false;
	return fdpass_advance(pass, dial_step(dial, pollset, now, fault), fault);
}

static const struct task_ops fdpass_task = {
	.name = "pass", .ask = fdpass_ask, .step = fdpass_step
};

static bool
fdpass_run(struct run *run, struct fault *fault)
{
	struct fdpass pass = { .run = run, .dial = { .fd = -1 } };
	struct dial *dial = &pass.dial;
	struct engine *engine = &run->engine;
	struct address own;
	/* Other sockets would transmit the byte without the descriptor. */
	if (!address_of_socket(&own, STDOUT_FILENO) || own.any.sa_family != AF_UNIX)
		return fault_set(fault, STATUS_OUTPUT, 0,
			"pass the connection over standard output: it is not a Unix socket");
	dial->config = config_dial(run->config, engine->now);
	bool done = fdpass_advance(&pass, dial_start(dial, engine->now, fault), fault) &&
		(pass.passed || engine_add(engine, &pass.task, &fdpass_task, fault)) &&
		engine_run(engine, fault);
	/* Not passed: reset, so that the peer sees no clean end. */
	if (dial->fd != -1)
		transport_abort_on_close(run->config->transport, dial->fd, true);
	engine_remove(engine, &pass.task);
	dial_close(dial);
	return done;
}

const struct mode fdpass_mode = { .name = "pass", .run = fdpass_run };
