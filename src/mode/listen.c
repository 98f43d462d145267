/* Listening: one client, or with --keep-open many (hub.c); without connections, who sends
 * something. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mode/hub.h"
#include "mode/mode.h"
#include "mode/ready.h"
#include "mode/session.h"
#include "net/listener.h"
#include "stream/datagram.h"
#include "stream/socket.h"

static bool
listen_too_late(const char *host, struct fault *fault)
{
	return fault_set(fault, STATUS_TIMEOUT, 0, "resolve %s: no answer in time", host);
}

/* The turns of the loop until it is known who may come. */
static bool
listen_load(struct access *access, const struct access_config *config, struct loop *loop,
	int64_t deadline, struct fault *fault)
{
	enum io result = access_start(access, config, fault);
	while (result == IO_AGAIN) {
		loop_begin(loop);
		access_ask(access, &loop->interest);
		interest_until(&loop->interest, deadline);
		if (!loop_wait_or_end(loop, fault))
			return false;
		result = access_step(access, &loop->interest, fault);
		if (result == IO_AGAIN && loop->now >= deadline)
			return listen_too_late(access_awaits(access), fault);
	}
	/* It would wait for ever. */
	if (result == IO_OK && access_permits_nobody(access))
		return fault_set(fault, STATUS_ACCESS, 0,
			"access list: it leaves nobody who may come; who is denied cannot be "
			"allowed");
	return result == IO_OK;
}

/* The turns of the loop until it listens. */
static bool
listen_open(struct listener *listener, const struct listener_config *config, struct loop *loop,
	int64_t deadline, struct fault *fault)
{
	enum io result = listener_start(listener, config, fault);
	while (result == IO_AGAIN) {
		loop_begin(loop);
		listener_ask(listener, &loop->interest);
		interest_until(&loop->interest, deadline);
		if (!loop_wait_or_end(loop, fault))
			return false;
		result = listener_step(listener, &loop->interest, fault);
		if (result == IO_AGAIN && loop->now >= deadline)
			return listen_too_late(config->on.host, fault);
	}
	return result == IO_OK;
}

/* The turns of the loop until a client has come. */
static bool
listen_accept(struct listener *listener, struct loop *loop, int64_t wait,
	struct listener_client *client, struct fault *fault)
{
	enum io result = IO_AGAIN;
	int64_t deadline = clock_after(clock_now(), wait);
	while (result == IO_AGAIN) {
		loop_begin(loop);
		listener_ask(listener, &loop->interest);
		interest_until(&loop->interest, deadline);
		if (!loop_wait_or_end(loop, fault))
			return false;
		if (loop->wants_report) {
			loop->wants_report = false;
			log_line(LOG_ALWAYS, "waiting for a client, %" PRIu64 " refused",
				listener->refused);
		}
		result = listener_accept(listener, &loop->interest, loop->now, client, fault);
		if (result == IO_AGAIN && loop->now >= deadline)
			return fault_set(
				fault, STATUS_TIMEOUT, 0, "accept: no client came in time");
	}
	return result == IO_OK;
}

static bool
listen_serve(struct run *run, const struct access *access, struct listener_client *client,
	struct fault *fault)
{
	const struct plan *plan = run->plan;
	struct stream remote = { .ops = NULL };
	char *name = address_print(&client->peer);
	listener_report(client, log_line);
	if (plan->transport->connected)
		return socket_init(&remote, plan->transport, client->fd, 0, name, fault) &&
			session_run(run, &remote, &client->peer, fault);
	if (!datagram_init(&remote, plan->transport, client->fd, name,
		    plan->keep_open ? DATAGRAM_ANY : DATAGRAM_FIRST, &client->peer, fault))
		return false;
	datagram_guard(&remote, access);
	return session_run(run, &remote, &client->peer, fault);
}

/* Whether a failure concerns this client only, so that the next one can be served. */
static bool
listen_survives(const struct run *run, const struct fault *fault)
{
	switch ((int)fault->status) {
	case STATUS_INPUT:
	case STATUS_OUTPUT:
	case STATUS_MEMORY:
	case STATUS_NOT_EXECUTABLE:
	case STATUS_NOT_FOUND:
		/* The next client has a program, and pipes, of its own. */
		return run->plan->program.path != NULL;
	case STATUS_CUT:
	case STATUS_FRAMING:
		return !run->spoilt;
	case STATUS_TIMEOUT:
	case STATUS_CONNECT:
	case STATUS_SEND:
	case STATUS_RECEIVE:
		return true;
	default:
		return false;
	}
}

static bool
listen_run(struct run *run, struct fault *fault)
{
	const struct plan *plan = run->plan;
	struct access access = { .config = NULL };
	const struct listener_config config = {
		.transport = plan->transport,
		.on = plan->endpoint,
		.options = &plan->sockopts,
		.access = &access,
		.users = &plan->users,
		.inherited = plan->inherited,
		.inherited_count = plan->inherited_count,
	};
	struct listener listener = { .config = NULL };
	struct listener_client client;
	int64_t deadline = clock_after(run->loop.now, plan->wait);
	bool done = listen_load(&access, &plan->access, &run->loop, deadline, fault) &&
		listen_open(&listener, &config, &run->loop, deadline, fault);
	bool many = plan->keep_open;
	if (done && many)
		done = hub_run(run, &listener, &access, fault);
	else if (done)
		done = ready_announce(plan, &listener, fault);
	bool more = done && !many;
	while (more) {
		more = plan->keep_open;
		done = listen_accept(&listener, &run->loop, plan->accept_wait, &client, fault);
		if (!done)
			break;
		/* Nobody else is to wait in vain; a datagram socket still needs its path. */
		if (!more && plan->transport->connected)
			listener_close(&listener);
		done = listen_serve(run, &access, &client, fault);
		/* A datagram socket goes to its session, and nobody else can come. */
		more = more && listener.count > 0;
		if (!done && more && listen_survives(run, fault)) {
			/* A failure ends one connection; this is the place that knows it. */
			log_line(LOG_ALWAYS, "%s", fault->text != NULL ? fault->text : "failed");
			fault_clear(fault);
		}
		more = more && !fault_is_set(fault);
	}
	listener_close(&listener);
	access_close(&access);
	return done;
}

const struct mode listen_mode = { "listen", listen_run };
