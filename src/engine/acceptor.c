/* The acceptor; see acceptor.h. */
#include "engine/acceptor.h"

#include <inttypes.h>
#include <signal.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/admission.h"
#include "engine/arrival.h"
#include "engine/limits.h"
#include "engine/operator.h"
#include "engine/reload.h"
#include "engine/service.h"
#include "engine/signals.h"
#include "filter/dtls_filter.h"

/* The most clients accepted in one step, before the sessions have a turn. */
#define ACCEPTOR_BATCH 64

/* The interval of checks for abandoned look-ups that have returned. */
#define ACCEPTOR_LOOK (100 * CLOCK_MILLISECOND)

/* --- until it accepts: one step of a state; `pollset` is NULL at the first --- */

static enum io
acceptor_load(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct acl *access = &acceptor->access;
	enum io result = pollset == NULL ? acl_start(access, &acceptor->run->config->access, fault)
					 : acl_step(access, pollset, fault);
	(void)now;
	if (result == IO_OK && acl_permits_none(access))
		return IO_FAULT(fault, STATUS_ACCESS, 0,
			"access list: no client can match (deny overrides allow)");
	return result;
}

static enum io
acceptor_listen(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct listener *listener = &acceptor->listener;
	(void)now;
	return pollset == NULL ? listener_start(listener, &acceptor->listener_config, fault)
			       : listener_step(listener, pollset, fault);
}

/* Opens the shared resources of many clients before readiness is reported. */
static enum io
acceptor_share(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct clients *clients = &acceptor->clients;
	struct engine *engine = &acceptor->run->engine;
	const struct config *config = acceptor->run->config;
	(void)pollset;
	clients->empty_since = now;
	if (config->transport->message_max > 0)
		clients->message_max =
			transport_message_max(config->transport, acceptor->listener.sockets[0].fd);
	else if (config->frames.used)
		clients->message_max = SIZE_MAX;
	if (greeter_is_needed(&clients->greeter))
		clients->message_max = DTLS_FILTER_ANY;
	if (clients->datagrams && !receiver_open(&acceptor->receiver, clients, fault))
		return IO_FAIL;
	if (clients->sole)
		return IO_OK;
	/* Expect many descriptors. */
	engine->poller.few = 0;
	engine->reloads = reload_is_possible(config);
	if (engine->reloads)
		signals_request(SIGHUP);
	bool shared =
		config->service->local == SERVICE_BUS || config->service->local == SERVICE_STDIO;
	if (shared)
		clients->bus = &clients->mux.bus;
	bool good = config->service->init_operator != NULL
		? operator_seat(clients, fault)
		: !shared || input_open(&acceptor->input, clients, fault);
	return good ? IO_OK : IO_FAIL;
}

static enum io
acceptor_notify(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	return pollset == NULL ? notify_start(&acceptor->notify, acceptor->run->config,
					 &acceptor->listener, now, fault)
			       : notify_step(&acceptor->notify, now, fault);
}

/* Advances through the states as far as possible. False and a fault if it cannot accept. */
static bool
acceptor_advance(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	static enum io (*const states[])(
		struct acceptor *, const struct pollset *, int64_t, struct fault *) = {
		[ACCEPTOR_LOADING] = acceptor_load,
		[ACCEPTOR_LISTENING] = acceptor_listen,
		[ACCEPTOR_SHARING] = acceptor_share,
		[ACCEPTOR_NOTIFYING] = acceptor_notify,
	};
	for (; acceptor->state < ACCEPTOR_ACCEPTING; acceptor->state++) {
		enum io result = states[acceptor->state](acceptor, pollset, now, fault);
		if (result == IO_AGAIN && acceptor->state < ACCEPTOR_SHARING &&
			now >= acceptor->deadline)
			return fault_set(fault, STATUS_TIMEOUT, 0, "resolve %s: timed out",
				acceptor->state == ACCEPTOR_LOADING
					? acl_awaits(&acceptor->access)
					: acceptor->listener_config.on.host);
		if (result != IO_OK)
			return result == IO_AGAIN;
		pollset = NULL;
	}
	acceptor->task.reopened = true;
	return true;
}

/* Whether clients are accepted, or rejected. */
static bool
acceptor_is_open(const struct acceptor *acceptor)
{
	const struct clients *clients = &acceptor->clients;
	return !clients->closing && !admission_is_full(clients) &&
		(clients->sole || acceptor->run->config->refuse || !limits_reached(clients));
}

static bool
acceptor_accept(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct clients *clients = &acceptor->clients;
	for (int i = 0; i < ACCEPTOR_BATCH && acceptor_is_open(acceptor); i++) {
		struct listener_client client;
		acceptor->listener.reserve = limits_reserve(clients);
		enum io result = listener_accept(&acceptor->listener, pollset, now, &client, fault);
		/* A resource is missing. */
		if (result == IO_AGAIN && acceptor->listener.paused != 0 &&
			arrival_make_room(clients)) {
			acceptor->listener.paused = 0;
			continue;
		}
		if (result != IO_OK)
			return result != IO_FAIL;
		event_enter(0);
		if ((clients->sole || !limits_reject(clients, &client)) &&
			!arrival_begin(clients, &client, fault))
			return false;
	}
	return true;
}

/* Interrupts all sessions; data that was read is flushed. */
static bool
acceptor_interrupt(struct acceptor *acceptor, struct fault *fault)
{
	struct clients *clients = &acceptor->clients;
	bool good = receiver_flush(&acceptor->receiver, clients, fault);
	clients->interrupted = true;
	capture_release(&acceptor->run->engine.capture);
	input_interrupt(&acceptor->input);
	for (struct client *client = clients->first; client != NULL; client = client->next)
		engine_wake(&acceptor->run->engine, &client->task);
	return good;
}

/* Stops accepting. The sessions may finish within --grace, and are interrupted then. */
static bool
acceptor_obey_signal(struct acceptor *acceptor, int64_t now, struct fault *fault)
{
	struct clients *clients = &acceptor->clients;
	int signal = acceptor->run->engine.end_signal;
	if (signal == 0)
		return true;
	if (clients->sole)
		return clients->closing || fault_set_signal(fault, signal);
	if (acceptor->grace_ends == CLOCK_NEVER)
		acceptor->grace_ends =
			clock_after(now, signal == SIGTERM ? acceptor->run->config->grace : 0);
	if (!clients->finishing)
		clients_finish(clients);
	return now < acceptor->grace_ends || clients->interrupted ||
		acceptor_interrupt(acceptor, fault);
}

static void
acceptor_report(struct acceptor *acceptor)
{
	struct engine *engine = &acceptor->run->engine;
	/* The only client reports. */
	if (!engine->wants_report || (acceptor->clients.sole && acceptor->clients.closing))
		return;
	engine->wants_report = false;
	if (acceptor->clients.sole) {
		event_emit(&(struct event){
			.kind = EVENT_waiting_stats, .rejected = acceptor->listener.refused });
		return;
	}
	clients_report(&acceptor->clients);
	receiver_report(&acceptor->clients, true);
}

/* Whether no more clients are accepted, and the listener is still open. */
static bool
acceptor_has_to_close(const struct acceptor *acceptor)
{
	return acceptor->clients.closing && acceptor->run->config->transport->connected &&
		acceptor->listener.config != NULL;
}

/* Closes the listener, so that connections are refused at once. The socket of datagram peers
 * stays open, and its path stays. */
static void
acceptor_close_listener(struct acceptor *acceptor)
{
	if (!acceptor_has_to_close(acceptor))
		return;
	/* epoll would keep watching a socket that other processes share. */
	poller_release(&acceptor->run->engine.poller, &acceptor->task.entry);
	listener_close(&acceptor->listener);
}

static bool
acceptor_is_over(const struct acceptor *acceptor)
{
	const struct clients *clients = &acceptor->clients;
	return clients->closing && (clients->count == 0 || (clients->sole && !clients->datagrams));
}

/* All sessions have ended: sets the result. */
static bool
acceptor_conclude(struct acceptor *acceptor, struct fault *fault)
{
	struct clients *clients = &acceptor->clients;
	if (clients->mux.stdio != NULL && !stdio_mux_finish(&clients->mux, fault))
		return false;
	if (clients->interrupted)
		return fault_set_signal(fault, acceptor->run->engine.end_signal);
	if (!capture_report(&acceptor->run->engine.capture, fault))
		return false;
	if (clients->failed > 0)
		return fault_set(fault, STATUS_SOME, 0,
			"listen: %" PRIu64 " of %" PRIu64 " connections failed", clients->failed,
			clients->accepted);
	return input_end(&acceptor->input, fault);
}

/* No more clients will be accepted: the acceptor ends with the last one, or at once if it has
 * failed. */
static bool
acceptor_end(struct acceptor *acceptor, struct fault *fault)
{
	struct engine *engine = &acceptor->run->engine;
	struct clients *clients = &acceptor->clients;
	if (!clients->sole) {
		operator_dismiss(clients);
		if (clients->chat_operator != NULL)
			return true;
		if (!acceptor_conclude(acceptor, fault))
			return false;
	}
	engine_remove(engine, &acceptor->input.task);
	engine_remove(engine, &acceptor->task);
	return true;
}

static void
acceptor_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	struct acceptor *acceptor = (struct acceptor *)task;
	struct clients *clients = &acceptor->clients;
	/* The next look-up may get a pipe with the same descriptor number. */
	task->reopened |= acl_awaits(&acceptor->access) != NULL;
	if (acl_awaits(&acceptor->access) != NULL)
		acl_ask(&acceptor->access, pollset);
	if (acceptor->state < ACCEPTOR_NOTIFYING)
		pollset_until(pollset, acceptor->deadline);
	if (acceptor->state == ACCEPTOR_LISTENING)
		listener_ask(&acceptor->listener, pollset);
	if (acceptor->state == ACCEPTOR_NOTIFYING)
		notify_ask(&acceptor->notify, pollset);
	if (acceptor->state < ACCEPTOR_ACCEPTING)
		return;
	acceptor->watch = pollset_watch(pollset, clients->mux.watch);
	/* Datagrams of known peers are received too. */
	if (clients->datagrams ? receiver_is_open(clients) : acceptor_is_open(acceptor))
		listener_ask(&acceptor->listener, pollset);
	if ((batch_is_pending(&acceptor->receiver.batch) && receiver_is_open(clients)) ||
		capture_has_failed(&acceptor->run->engine.capture) || arrival_is_due(clients) ||
		acceptor_has_to_close(acceptor) ||
		(acceptor_is_over(acceptor) && !operator_is_ending(clients)))
		pollset_until(pollset, now);
	if (resolve_abandoned() > 0 && limits_reached(clients))
		pollset_until(pollset, clock_after(now, ACCEPTOR_LOOK));
	if (!clients->closing)
		pollset_until(pollset,
			clock_after(clients->empty_since, acceptor->run->config->accept_wait));
	else if (!clients->interrupted)
		pollset_until(pollset, acceptor->grace_ends);
}

static bool
acceptor_step_clients(
	struct acceptor *acceptor, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct clients *clients = &acceptor->clients;
	if (pollset_fired(pollset, acceptor->watch) &&
		stream_look(clients->mux.stdio, fault) == IO_FAIL)
		return false;
	reload_step(acceptor->run, &acceptor->access, pollset);
	acceptor_report(acceptor);
	arrival_go_on(clients);
	/* A failed capture file is a failure of the listener, not of a session: it stops accepting,
	 * and ends after the current sessions. */
	if (capture_announce(&acceptor->run->engine.capture) && !clients->finishing)
		clients_finish(clients);
	if (!acceptor_obey_signal(acceptor, now, fault))
		return false;
	/* The programs of closed sessions have to end before the next client is accepted. */
	if (!clients->sole && clients->count == 0 && limits_reached(clients))
		clients->empty_since = now;
	if (now >= clock_after(clients->empty_since, acceptor->run->config->accept_wait) &&
		!clients->closing)
		return fault_set(
			fault, STATUS_TIMEOUT, 0, "accept: timed out: no client connected");
	return clients->datagrams ? receiver_step(&acceptor->receiver, clients, pollset, fault)
				  : acceptor_accept(acceptor, pollset, now, fault);
}

static bool
acceptor_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct acceptor *acceptor = (struct acceptor *)task;
	struct clients *clients = &acceptor->clients;
	event_enter(0);
	if (acceptor->state < ACCEPTOR_ACCEPTING) {
		int signal = acceptor->run->engine.end_signal;
		return signal != 0 ? fault_set_signal(fault, signal)
				   : acceptor_advance(acceptor, pollset, now, fault);
	}
	bool good = acceptor_step_clients(acceptor, pollset, now, fault);
	if (clients->closing)
		acceptor_close_listener(acceptor);
	clients_wake(clients);
	return good && (!acceptor_is_over(acceptor) || acceptor_end(acceptor, fault));
}

static const struct task_ops acceptor_task = {
	.name = "acceptor", .shared = true, .ask = acceptor_ask, .step = acceptor_step
};

bool
acceptor_open(struct acceptor *acceptor, struct run *run, struct fault *fault)
{
	const struct config *config = run->config;
	int64_t now = run->engine.now;
	*acceptor = (struct acceptor){
		.run = run,
		.deadline = clock_after(now, config->wait),
		.listener_config = {
			.transport = config->transport,
			.on = config->endpoint,
			.hosts = &config->hosts,
			.options = &config->sockopts,
			.access = &acceptor->access,
			.users = &config->users,
			.trusted = config->header.accept != 0 ? &config->header.trust : NULL,
			.permissions = config->permissions,
			.inherited = config->inherited,
			.listen_fds_count = config->listen_fds_count,
			.accepted = config->accepted,
		},
		.watch = POLLSET_NONE,
		.grace_ends = CLOCK_NEVER,
	};
	clients_open(&acceptor->clients, run, &acceptor->listener);
	/* Before readiness is reported there is memory to wait. */
	return engine_add(&run->engine, &acceptor->task, &acceptor_task, fault) &&
		acceptor_advance(acceptor, NULL, now, fault);
}

void
acceptor_close(struct acceptor *acceptor)
{
	receiver_report(&acceptor->clients, false);
	clients_close(&acceptor->clients);
	engine_remove(&acceptor->run->engine, &acceptor->task);
	input_close(&acceptor->input);
	receiver_close(&acceptor->receiver);
	notify_close(&acceptor->notify);
	listener_close(&acceptor->listener);
	acl_close(&acceptor->access);
}
