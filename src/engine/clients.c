/* The table of clients; see clients.h. */
#include "engine/clients.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/account.h"
#include "engine/admission.h"
#include "engine/arrival.h"
#include "engine/reconnect.h"
#include "engine/service.h"
#include "filter/proxy_route.h"

/* The most steps of a datagram peer in one turn, while it has datagrams. */
#define CLIENTS_STEPS 64

void
clients_open(struct clients *clients, struct run *run, struct listener *listener)
{
	const struct config *config = run->config;
	*clients = (struct clients){
		.run = run,
		.listener = listener,
		.mux = { .bus = { .limit = config->queue, .slow = config->slow }, .watch = -1 },
		.empty_since = run->engine.now,
		.sole = !config->keep_open,
	};
	if (listener != NULL && !config->transport->connected) {
		clients->greeter.tls = config->tls.tls;
		clients->datagrams = config->keep_open || greeter_is_needed(&clients->greeter);
		clients->mux.bus.no_empty = greeter_is_needed(&clients->greeter);
	}
	if (clients->datagrams)
		addr_table_open(&clients->peers, false);
	if (!clients->sole)
		addr_table_open(&clients->per_host, true);
}

void
clients_close(struct clients *clients)
{
	while (clients->first != NULL)
		clients_forget(clients, clients->first);
	addr_table_close(&clients->peers);
	addr_table_close(&clients->per_host);
	greeter_close(&clients->greeter);
}

/* While the listener finishes, silence is the end of a datagram peer. */
static int64_t
clients_silence_ends(const struct clients *clients, const struct client *client)
{
	if (!clients->finishing || client->peer == NULL || client->peer->ended ||
		client->session.state != SESSION_RELAYING)
		return CLOCK_NEVER;
	return clock_after(session_moved_at(&client->session), clients->run->config->silence);
}

static void
clients_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	struct client *client = (struct client *)task;
	struct clients *clients = client->clients;
	struct session *session = &client->session;
	const struct relay *relay = &session->relay;
	/* Descriptors change only while connecting, when a direction changes its state, and when
	 * a datagram socket was refused. */
	task->reopened = client->state != SESSION_RELAYING || relay->out.state != client->out ||
		relay->in.state != client->in || session_reopened(session) != client->reopened;
	client->state = session->state;
	client->reopened = session_reopened(session);
	client->out = relay->out.state;
	client->in = relay->in.state;
	/* The operator reads from the bus in the other flow. */
	if ((client == clients->chat_operator ? client->in : client->out) != FLOW_OPEN)
		bus_unsubscribe(&client->queue);
	if (client->admission != NULL)
		admission_ask(client, pollset);
	else
		session_ask(session, pollset, now);
	pollset_until(pollset, clients_silence_ends(clients, client));
}

void
clients_forget(struct clients *clients, struct client *client)
{
	engine_remove(&clients->run->engine, &client->task);
	addr_table_remove(&clients->peers, &client->by_peer);
	addr_table_remove(&clients->per_host, &client->by_host);
	session_close(&client->session);
	arrival_end(clients, client);
	admission_end(clients, client);
	*(client->previous != NULL ? &client->previous->next : &clients->first) = client->next;
	if (client->next != NULL)
		client->next->previous = client->previous;
	if (client == clients->chat_operator)
		clients->chat_operator = NULL;
	else if (--clients->count == 0 && clients->empty_since == CLOCK_NEVER)
		clients->empty_since = clients->run->engine.now;
	free(client);
}

/* The client that contains the field. */
static struct client *
clients_around(void *field, size_t offset)
{
	return (struct client *)(void *)((unsigned char *)field - offset);
}

void
clients_wake(struct clients *clients)
{
	struct engine *engine = &clients->run->engine;
	for (struct capture_client *waiting;
		(waiting = capture_next_woken(&engine->capture)) != NULL;)
		engine_wake(engine,
			&clients_around(waiting, offsetof(struct client, session.captured))->task);
	for (struct bus_queue *queue;
		clients->bus != NULL && (queue = bus_next_woken(clients->bus)) != NULL;)
		engine_wake(engine,
			queue == &clients->mux.publisher_queue
				? clients->input
				: &clients_around(queue, offsetof(struct client, queue))->task);
}

bool
clients_survives(struct clients *clients, struct fault *fault)
{
	const struct service *service = clients->run->config->service;
	clients->failed++;
	if (clients->sole || clients->run->digests.failed)
		return false;
	bool own_file = clients->run->config->files.out != NULL;
	if ((service->local == SERVICE_STDIO || service->init_operator != NULL) &&
		((fault->status == STATUS_OUTPUT && !own_file) || fault->status == STATUS_INPUT))
		return false;
	if (!fault->quiet)
		event_emit(&(struct event){ .kind = EVENT_session_failed,
			.status = (uint64_t)fault->status,
			.cause = fault->text });
	fault_clear(fault);
	return true;
}

struct service_context
clients_context(struct clients *clients, struct client *client)
{
	return (struct service_context){
		.config = clients->run->config,
		.remote = client->session.remote,
		.peer = &client->session.peer,
		.from = client->peer,
		.header = client->session.header,
		.now = clients->run->engine.now,
		.stored = client->session.connects ? &clients->stored : NULL,
		.mux = clients->sole ? NULL : &clients->mux,
		.bus = clients->bus,
		.queue = &client->queue,
		.number = client->session.id,
		.message_max = clients->message_max,
	};
}

bool
clients_has_ended(const struct client *client)
{
	return client->peer != NULL && !client->peer->ended && account_has_ended(&client->session);
}

/* Whether messages from or for the client were dropped. */
static bool
clients_missed(const struct client *client)
{
	const struct stream_stats *stats = stream_stats(client->session.remote);
	return stats->left_out > 0 || client->queue.lender.dropped > 0 || stats->unsent > 0;
}

/* Whether the only client of a proxy server has sent datagrams that were dropped. The line about
 * its end says so. */
static bool
clients_dropped(const struct client *client)
{
	return client->clients->sole && client->peer == NULL && !client->session.connects &&
		stream_stats(client->session.remote)->left_out > 0;
}

/* Ends a session; returns its result. Silence is the normal end of a datagram peer. */
static bool
clients_end(struct clients *clients, struct client *client, struct fault *fault)
{
	if (!clients_has_ended(client))
		peer_leave_out(client->peer);
	bool good = session_end(&client->session, fault);
	if (clients->datagrams && !clients->sole && !good && fault->status == STATUS_TIMEOUT &&
		!session_holds(&client->session) && client->session.state != SESSION_OPENING) {
		fault_clear(fault);
		good = true;
	}
	if (good && clients_dropped(client))
		return fault_set_quiet(fault, STATUS_PROXY);
	return good && !clients->sole && clients_missed(client)
		? fault_set_quiet(fault, STATUS_SOME)
		: good;
}

/* For the only client; with -k the acceptor does this. */
static void
clients_obey_signals(struct clients *clients, const struct session *session)
{
	struct engine *engine = &clients->run->engine;
	if (engine->wants_report)
		session_report_progress(session);
	engine->wants_report = false;
	clients->interrupted = engine->end_signal != 0;
}

static bool
clients_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct client *client = (struct client *)task;
	struct clients *clients = client->clients;
	struct session *session = &client->session;
	event_enter(session->id);
	if (clients->sole)
		clients_obey_signals(clients, session);
	if (now >= clients_silence_ends(clients, client))
		session_look(session, now);
	if (now >= clients_silence_ends(clients, client))
		peer_end(client->peer);
	bool over;
	int left = CLIENTS_STEPS;
	uint64_t moved;
	if (session->state == SESSION_OPENING) {
		over = arrival_step(clients, client, pollset);
	} else {
		do {
			moved = relay_moved(&session->relay);
			over = session_step(session, pollset, now);
		} while (!over && client->peer != NULL && client->peer->first != NULL &&
			moved != relay_moved(&session->relay) && --left > 0);
	}
	/* Only now: its queue has been read. */
	if (!over && clients->interrupted) {
		session_interrupt(session, clients->run->engine.end_signal, now);
		over = session_step(session, pollset, now);
	}
	bool good = !over || clients_end(clients, client, fault);
	bool again = !good && reconnect_wants(client, fault);
	if (over)
		clients_forget(clients, client);
	if (again) {
		struct fault broken = FAULT_NONE;
		fault_move(&broken, fault);
		good = clients_connect(clients, &broken, fault);
		/* Unless it was taken. */
		fault_clear(&broken);
	}
	good = good || clients_survives(clients, fault);
	clients_wake(clients);
	return good;
}

static bool
clients_fail(struct task *task, struct fault *fault)
{
	struct client *client = (struct client *)task;
	struct clients *clients = client->clients;
	clients_forget(clients, client);
	return clients_survives(clients, fault);
}

static const struct task_ops clients_task = {
	.name = "client", .ask = clients_ask, .step = clients_step, .fail = clients_fail
};

void
clients_finish(struct clients *clients)
{
	clients->closing = clients->finishing = true;
	for (struct client *client = clients->first; client != NULL; client = client->next)
		engine_wake(&clients->run->engine, &client->task);
}

void
clients_overflow(struct clients *clients, struct client *client)
{
	struct fault fault = FAULT_NONE;
	/* Stopping mid-message would corrupt the next client's output. */
	if (clients->run->config->slow != BUS_DISCONNECT ||
		session_is_mid_message(&client->session))
		return;
	(void)fault_set(&fault, STATUS_RECEIVE, 0, "receive from %s: queue full (%zu bytes)",
		client->session.remote->name, client->peer->waiting);
	session_fail(&client->session, &fault, clients->run->engine.now);
	engine_wake(&clients->run->engine, &client->task);
}

struct client *
clients_add(struct clients *clients)
{
	struct client *client = calloc(1, sizeof *client);
	if (client == NULL)
		return NULL;
	client->clients = clients;
	client->session.run = clients->run;
	client->next = clients->first;
	if (clients->first != NULL)
		clients->first->previous = client;
	clients->first = client;
	return client;
}

bool
clients_start(struct clients *clients, struct client *client, struct fault *fault)
{
	return arrival_step(clients, client, NULL)
		? session_end(&client->session, fault)
		: engine_add(&clients->run->engine, &client->task, &clients_task, fault);
}

bool
clients_connect(struct clients *clients, struct fault *broken, struct fault *fault)
{
	const struct config *config = clients->run->config;
	struct dial_config dial = config_dial(config, clients->run->engine.now);
	dial.retried = &clients->retry;
	dial.broken = broken;
	struct client *client = clients_add(clients);
	if (client == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "connect");
	struct session *session = &client->session;
	clients->count++;
	session->connects = true;
	session->id = ++clients->run->sessions;
	event_enter(session->id);
	const struct proxy_sender_config header = config_header(config);
	session->remote = proxy_route_dial(&config->proxies, &dial, &header,
		config_reads_single(config), &session->peer, fault);
	return session->remote != NULL && clients_start(clients, client, fault);
}

struct client *
clients_find(struct clients *clients, const struct address *peer)
{
	struct addr_table_entry *entry = addr_table_find(&clients->peers, peer);
	return entry == NULL ? NULL : clients_around(entry, offsetof(struct client, by_peer));
}

void
clients_replace(struct clients *clients, struct client *client)
{
	peer_leave_out(client->peer);
	client->queue.lender.dropped += client->queue.chunks.count;
	bool lost = clients_missed(client) || session_holds(&client->session);
	clients->failed += lost;
	session_report(EVENT_session_replaced, lost, &client->session);
	clients_forget(clients, client);
}

void
clients_release(struct clients *clients, struct client *client)
{
	addr_table_remove(&clients->peers, &client->by_peer);
	peer_end(client->peer);
	engine_wake(&clients->run->engine, &client->task);
}

void
clients_report(const struct clients *clients)
{
	event_settle();
	event_emit(&(struct event){ .kind = EVENT_listener_stats,
		.count = clients->count,
		.total = clients->accepted,
		.failed = clients->failed,
		.handshakes = clients->unopened,
		.rejected = clients->refused });
	for (const struct client *client = clients->first; client != NULL; client = client->next)
		session_report_progress(&client->session);
}
