/* Listening: one client, or with --keep-open one after another. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mode/mode.h"
#include "mode/ready.h"
#include "mode/session.h"
#include "net/listener.h"
#include "stream/datagram.h"
#include "stream/socket.h"

/* The turns of the loop until it listens. */
static bool
listen_open(struct listener *listener, const struct listener_config *config, struct loop *loop,
	int64_t wait, struct fault *fault)
{
	int64_t deadline = clock_after(loop->now, wait);
	enum io result = listener_start(listener, config, fault);
	while (result == IO_AGAIN) {
		loop_begin(loop);
		listener_ask(listener, &loop->interest);
		interest_until(&loop->interest, deadline);
		if (!loop_wait_or_end(loop, fault))
			return false;
		result = listener_step(listener, &loop->interest, fault);
		if (result == IO_AGAIN && loop->now >= deadline)
			return fault_set(fault, STATUS_TIMEOUT, 0, "resolve %s: no answer in time",
				config->on.host);
	}
	return result == IO_OK;
}

/* The turns of the loop until a client has come. */
static bool
listen_accept(struct listener *listener, struct loop *loop, struct listener_client *client,
	struct fault *fault)
{
	enum io result = IO_AGAIN;
	while (result == IO_AGAIN) {
		loop_begin(loop);
		listener_ask(listener, &loop->interest);
		if (!loop_wait_or_end(loop, fault))
			return false;
		if (loop->wants_report) {
			loop->wants_report = false;
			log_line(LOG_ALWAYS, "waiting for a client");
		}
		result = listener_accept(listener, &loop->interest, loop->now, client, fault);
	}
	return result == IO_OK;
}

static bool
listen_serve(struct run *run, struct listener_client *client, struct fault *fault)
{
	const struct plan *plan = run->plan;
	struct stream remote = { .ops = NULL };
	char *name = address_print(&client->peer);
	log_line(LOG_VERBOSE, "connection from %s", name != NULL ? name : "?");
	if (plan->transport->connected)
		return socket_init(&remote, plan->transport, client->fd, 0, name, fault) &&
			session_run(run, &remote, fault);
	return datagram_init(&remote, plan->transport, client->fd, name,
		       plan->keep_open ? DATAGRAM_ANY : DATAGRAM_FIRST, &client->peer, fault) &&
		session_run(run, &remote, fault);
}

/* Whether a failure concerns this client only, so that the next one can be served. */
static bool
listen_survives(const struct run *run, const struct fault *fault)
{
	switch ((int)fault->status) {
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
	const struct listener_config config = {
		.transport = plan->transport,
		.on = plan->endpoint,
		.options = &plan->sockopts,
		.inherited = plan->inherited,
	};
	struct listener listener = { .config = NULL };
	struct listener_client client;
	bool done = listen_open(&listener, &config, &run->loop, plan->wait, fault) &&
		ready_announce(plan, &listener, fault);
	bool more = done;
	while (more) {
		more = plan->keep_open;
		done = listen_accept(&listener, &run->loop, &client, fault);
		if (!done)
			break;
		/* Nobody else is to wait in vain; a datagram socket still needs its path. */
		if (!more && plan->transport->connected)
			listener_close(&listener);
		done = listen_serve(run, &client, fault);
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
	return done;
}

const struct mode listen_mode = { "listen", listen_run };
