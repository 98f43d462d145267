/* A listener for many; see hub.h. */
#include "mode/hub.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/flow.h"
#include "flow/signals.h"
#include "flow/waiter.h"
#include "mode/ready.h"
#include "mode/service.h"
#include "mode/session.h"
#include "stream/chat.h"
#include "stream/child.h"
#include "stream/member.h"
#include "stream/peer.h"
#include "stream/post.h"
#include "stream/share.h"
#include "stream/socket.h"
#include "sys/sys.h"

/* So many clients are let in before those that are in are looked after. */
#define HUB_BATCH 64

/* What a socket is asked for as one datagram; UDP never has more. */
#define HUB_DATAGRAM 65536

struct hub_client {
	struct waiting waiting; /* first: the waiter gives it back */
	struct session session;
	struct peer peer;    /* its datagrams, if it is no connection */
	struct post_box box; /* what waits for it, if others speak to it */
	enum flow_state out, in; /* after its last step */
	struct hub_client *next, *previous;
};

struct hub {
	struct run *run;
	struct listener *listener;
	struct access *access;
	struct waiter waiter;
	struct waiting door;   /* the listener, signals, and a reader that goes away */
	size_t signals, watch; /* the entries in it */
	struct post *post;     /* where clients are spoken to; NULL: they are not */
	struct post broker;    /* the one of a broker, … */
	struct share share;    /* … that of standard input and output */
	struct flow input;     /* standard input, as far as it is said to all */
	struct waiting hears;  /* what that flow waits for */
	bool speaks;           /* there is that flow, and it has not ended */
	struct hub_client *first;
	size_t count;              /* clients that are in */
	uint64_t accepted, failed; /* clients so far, … */
	uint64_t refused;          /* … and those who were one too many */
	int64_t lonely;            /* nobody has been in since; CLOCK_NEVER: somebody is */
	struct hub_client *host;   /* who sits here and takes part, not counted; NULL: nobody */
	unsigned char *space;      /* owned: for a datagram; NULL: there are connections */
	bool closing;              /* nobody is let in any more */
	int64_t grace_ends;        /* a signal has come: then who is in is interrupted, … */
	bool interrupted;          /* … and that has been done */
};

/* --- clients --- */

/* Waits for what its next step needs. */
static bool
hub_ask(struct hub *hub, struct hub_client *client, struct fault *fault)
{
	struct relay *relay = &client->session.relay;
	/* Only there, and where a direction has come further, descriptors are closed or opened. */
	bool anew = client->session.state != SESSION_RELAYING ||
		relay->out.state != client->out || relay->in.state != client->in;
	client->out = relay->out.state;
	client->in = relay->in.state;
	/* Whoever sits here hears what others say by the other flow. */
	if ((client == hub->host ? client->in : client->out) != FLOW_OPEN)
		post_mute(&client->box);
	interest_begin(&client->waiting.interest);
	session_ask(&client->session, &client->waiting.interest, hub->run->loop.now);
	return waiter_set(&hub->waiter, &client->waiting, anew, fault);
}

static void
hub_forget(struct hub *hub, struct hub_client *client)
{
	waiter_remove(&hub->waiter, &client->waiting);
	session_close(&client->session);
	*(client->previous != NULL ? &client->previous->next : &hub->first) = client->next;
	if (client->next != NULL)
		client->next->previous = client->previous;
	hub->count -= client != hub->host;
	if (hub->count == 0)
		hub->lonely = hub->run->loop.now;
	free(client);
}

/* Whoever something came for, or who may try again, has a turn. */
static void
hub_wake(struct hub *hub)
{
	for (struct post_box *box;
		hub->post != NULL && (box = post_next_woken(hub->post)) != NULL;) {
		if (box == &hub->share.podium) {
			waiter_wake(&hub->waiter, &hub->hears);
			continue;
		}
		unsigned char *inside = (unsigned char *)box;
		struct hub_client *client =
			(struct hub_client *)(void *)(inside - offsetof(struct hub_client, box));
		waiter_wake(&hub->waiter, &client->waiting);
	}
}

/* A failure ends one connection; this is the place that knows it. False if it is not the client's
 * own: what all share has failed. */
static bool
hub_survives(struct hub *hub, struct fault *fault)
{
	const struct service *service = hub->run->plan->service;
	hub->failed++;
	if ((service == &service_stdio || service->chat) &&
		(fault->status == STATUS_OUTPUT || fault->status == STATUS_INPUT))
		return false;
	if (!fault->quiet)
		log_line(LOG_ALWAYS, "%s", fault->text != NULL ? fault->text : "failed");
	fault_clear(fault);
	return true;
}

static bool
hub_step(struct hub *hub, struct hub_client *client, struct fault *fault)
{
	struct run *run = hub->run;
	struct session *session = &client->session;
	bool over = session_step(session, &client->waiting.interest, run->loop.now);
	/* Only now: what waits for it in its box has been read. */
	if (!over && hub->interrupted) {
		session_interrupt(session, run->loop.end_signal, run->loop.now);
		over = session_step(session, &client->waiting.interest, run->loop.now);
	}
	bool good = over ? session_end(&client->session, fault) : hub_ask(hub, client, fault);
	/* Who sends datagrams has no other end. */
	if (!good && hub->space != NULL && fault->status == STATUS_TIMEOUT) {
		fault_clear(fault);
		good = true;
	}
	if (good && !over)
		return true;
	hub_forget(hub, client);
	return record_report(&run->record, fault) && (good || hub_survives(hub, fault));
}

/* What is said to clients: messages of at most so many bytes; 0: bytes. */
static size_t
hub_message_max(const struct plan *plan)
{
	return plan->transport->message_max > 0 ? plan->transport->message_max
		: plan->frames.used             ? SIZE_MAX
						: 0;
}

/* What the client has on its other side, if many share it. */
static bool
hub_init_local(struct hub *hub, struct hub_client *client, struct fault *fault)
{
	const struct plan *plan = hub->run->plan;
	struct stream *local = &client->session.local;
	if (plan->service == &service_stdio)
		return share_init(local, &hub->share, &client->box, fault);
	if (!plan->service->broker)
		return true;
	if (plan->service->chat) {
		char name[CHAT_NAME_MAX];
		(void)snprintf(name, sizeof name, "user%" PRIu64, hub->accepted);
		return chat_init(local, &hub->broker, &client->box, name, fault);
	}
	return member_init(local, &hub->broker, &client->box, hub_message_max(plan), fault);
}

static struct hub_client *
hub_add(struct hub *hub)
{
	struct hub_client *client = calloc(1, sizeof *client);
	if (client == NULL)
		return NULL;
	client->next = hub->first;
	if (hub->first != NULL)
		hub->first->previous = client;
	hub->first = client;
	return client;
}

/* Whoever sits here takes part in the chat as if by a connection. */
static bool
hub_seat_host(struct hub *hub, struct fault *fault)
{
	struct run *run = hub->run;
	const struct stdio_config stdio = { .raw = run->plan->raw };
	struct hub_client *host = hub->host = hub_add(hub);
	if (host == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "standard input and output");
	return stdio_init(&host->session.local, &stdio, fault) &&
		chat_init(&host->session.remote, &hub->broker, &host->box, run->plan->nick,
			fault) &&
		session_open(&host->session, run, run->loop.now, fault) &&
		hub_ask(hub, host, fault);
}

/* The stream of somebody who has come; the descriptor and the name are taken over. */
static bool
hub_init_remote(struct hub *hub, struct hub_client *client, struct listener_client *caller,
	char *name, struct fault *fault)
{
	const struct plan *plan = hub->run->plan;
	struct stream *remote = &client->session.remote;
	if (hub->space == NULL)
		return socket_init(remote, plan->transport, caller->fd, 0, name, fault);
	return peer_init(remote, &client->peer, plan->transport, &caller->peer, plan->queue, name,
		fault);
}

/* Begins a session with somebody who has come; the descriptor is taken over. */
static bool
hub_begin(struct hub *hub, struct listener_client *caller, struct fault *fault)
{
	struct run *run = hub->run;
	struct hub_client *client = hub_add(hub);
	char *name = address_print(&caller->peer);
	log_line(LOG_VERBOSE, "connection from %s", name != NULL ? name : "?");
	hub->accepted++;
	hub->closing = hub->accepted == run->plan->max_accepts;
	if (client == NULL) {
		free(name);
		(void)sys_close(&caller->fd);
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
		return hub_survives(hub, fault);
	}
	client->session.peer = caller->peer;
	hub->count++;
	hub->lonely = CLOCK_NEVER;
	if (hub_init_remote(hub, client, caller, name, fault) &&
		hub_init_local(hub, client, fault) &&
		session_open(&client->session, run, run->loop.now, fault) &&
		hub_ask(hub, client, fault))
		return true;
	hub_forget(hub, client);
	return hub_survives(hub, fault);
}

/* --- the door --- */

static bool
hub_is_full(const struct hub *hub)
{
	return hub->count >= hub->run->plan->max_conns;
}

/* Whether anybody is let in, or sent away. */
static bool
hub_is_open(const struct hub *hub)
{
	return !hub->closing && (hub->run->plan->refuse || !hub_is_full(hub));
}

static size_t
hub_count_host(const struct hub *hub, struct address host)
{
	size_t count = 0;
	address_set_port(&host, 0);
	for (const struct hub_client *client = hub->first; client != NULL; client = client->next) {
		struct address peer = client->session.peer;
		address_set_port(&peer, 0);
		count += address_equal(&peer, &host);
	}
	return count;
}

/* Sends somebody away who is one too many. */
static bool
hub_refuses(struct hub *hub, struct listener_client *caller)
{
	uint64_t most = hub->run->plan->max_per_host;
	bool crowded = most > 0 && hub_count_host(hub, caller->peer) >= most;
	if (!hub_is_full(hub) && !crowded)
		return false;
	char *name = address_print(&caller->peer);
	log_line(LOG_VERBOSE, "refused %s: %s", name != NULL ? name : "?",
		crowded ? "there are too many from its address" : "there are too many");
	free(name);
	listener_turn_away(hub->listener, caller);
	hub->refused++;
	return true;
}

/* --- datagrams --- */

static struct hub_client *
hub_find(struct hub *hub, const struct address *peer)
{
	struct hub_client *client = hub->first;
	while (client != NULL &&
		(client == hub->host || !address_equal(&client->session.peer, peer)))
		client = client->next;
	return client;
}

/* Whoever has been silent for longest leaves, so that somebody else may come. */
static void
hub_make_room(struct hub *hub)
{
	struct hub_client *oldest = NULL;
	int64_t since = CLOCK_NEVER;
	for (struct hub_client *client = hub->first; client != NULL; client = client->next) {
		const struct relay *relay = &client->session.relay;
		int64_t moved = relay->out.moved_at > relay->in.moved_at ? relay->out.moved_at
									 : relay->in.moved_at;
		if (client == hub->host || moved > since)
			continue;
		oldest = client;
		since = moved;
	}
	if (oldest == NULL)
		return;
	session_report(LOG_VERBOSE, "left for another", &oldest->session);
	hub_forget(hub, oldest);
}

/* What somebody has sent is handed on, to a session that is there or is begun now. */
static bool
hub_hand_on(struct hub *hub, int fd, const struct sys_message *message, struct fault *fault)
{
	struct listener_client caller = {
		.fd = -1, .peer = { message->from, message->from_length }
	};
	struct hub_client *client = hub_find(hub, &caller.peer);
	if (client == NULL) {
		if (hub->closing || !listener_permits(hub->listener, &caller.peer))
			return true;
		if (hub_is_full(hub) && !hub->run->plan->refuse)
			hub_make_room(hub);
		if (hub_refuses(hub, &caller))
			return true;
		if (!hub_begin(hub, &caller, fault))
			return false;
		client = hub_find(hub, &caller.peer);
	}
	if (client != NULL) {
		peer_take(&client->peer, fd, hub->space, message);
		waiter_wake(&hub->waiter, &client->waiting);
	}
	return true;
}

/* Takes what has come to one socket, but no more than leaves the others a turn. */
static bool
hub_receive(struct hub *hub, int fd, struct fault *fault)
{
	for (int i = 0; i < HUB_BATCH; i++) {
		struct iovec space = { hub->space, HUB_DATAGRAM };
		struct sys_message message = { .from_length = 0 };
		ssize_t n = sys_receive_message(fd, &space, 1, false, &message);
		if (n == -1 && sys_would_block(errno))
			return true;
		/* It belongs to somebody who was sent something, and is told to the next one. */
		if (n == -1)
			continue;
		message.length = (size_t)n;
		if (message.truncated) {
			log_line(LOG_ALWAYS, "receive: a datagram is longer than %d bytes",
				HUB_DATAGRAM);
			hub->failed++;
		} else if (!hub_hand_on(hub, fd, &message, fault)) {
			return false;
		}
	}
	return true;
}

static bool
hub_receive_all(struct hub *hub, struct fault *fault)
{
	const struct listener *listener = hub->listener;
	for (size_t i = 0; i < listener->count; i++)
		if (interest_fired(&hub->door.interest, listener->sockets[i].entry) &&
			!hub_receive(hub, listener->sockets[i].fd, fault))
			return false;
	return true;
}

static bool
hub_accept(struct hub *hub, struct fault *fault)
{
	struct loop *loop = &hub->run->loop;
	for (int i = 0; i < HUB_BATCH && hub_is_open(hub); i++) {
		struct listener_client caller;
		switch (listener_accept(
			hub->listener, &hub->door.interest, loop->now, &caller, fault)) {
		case IO_OK:
			if (!hub_refuses(hub, &caller) && !hub_begin(hub, &caller, fault))
				return false;
			break;
		case IO_AGAIN:
		case IO_END:
			return true;
		case IO_FAIL:
			return false;
		}
	}
	return true;
}

static void
hub_report(struct hub *hub)
{
	log_line(LOG_ALWAYS,
		"%zu clients, %" PRIu64 " so far, %" PRIu64 " failed, %" PRIu64 " refused",
		hub->count, hub->accepted, hub->failed, hub->refused);
	for (struct hub_client *client = hub->first; client != NULL; client = client->next)
		session_report(LOG_ALWAYS, "session", &client->session);
}

/* What is already read still goes out, within a moment. */
static void
hub_interrupt(struct hub *hub)
{
	hub->interrupted = true;
	if (hub->speaks) {
		hub->share.speaker.half_close = false;
		(void)flow_stop(&hub->input, FLOW_STOP_NOW);
		flow_step(&hub->input, &hub->hears.interest, hub->run->loop.now);
		hub->speaks = false;
	}
	for (struct hub_client *client = hub->first; client != NULL; client = client->next)
		waiter_wake(&hub->waiter, &client->waiting);
}

/* A list that cannot be made leaves the old one in force. */
static void
hub_reloaded(enum io result, struct fault *fault)
{
	if (result == IO_OK)
		log_line(LOG_VERBOSE, "the access lists were made anew");
	if (result == IO_FAIL)
		log_line(LOG_ALWAYS, "%s; the old access lists stay in force",
			fault->text != NULL ? fault->text : "failed");
	fault_clear(fault);
}

static void
hub_reload(struct hub *hub)
{
	struct loop *loop = &hub->run->loop;
	struct fault fault = FAULT_NONE;
	if (access_awaits(hub->access) != NULL)
		hub_reloaded(access_step(hub->access, &hub->door.interest, &fault), &fault);
	if (loop->wants_reload) {
		loop->wants_reload = false;
		hub_reloaded(access_reload(hub->access, &fault), &fault);
	}
}

/* Nobody is let in any more. Who is in may finish if there is time for that, and is interrupted
 * when it is over. */
static void
hub_obey_signal(struct hub *hub)
{
	const struct loop *loop = &hub->run->loop;
	int64_t grace = loop->end_signal == SIGTERM ? hub->run->plan->grace : 0;
	if (hub->grace_ends == CLOCK_NEVER)
		hub->grace_ends = clock_after(loop->now, grace);
	hub->closing = true;
	if (loop->now >= hub->grace_ends && !hub->interrupted)
		hub_interrupt(hub);
}

static bool
hub_answer_door(struct hub *hub, struct fault *fault)
{
	struct loop *loop = &hub->run->loop;
	size_t put;
	bool ended = interest_fired(&hub->door.interest, hub->signals) && loop_take_signals(loop);
	child_look(ended, loop->now);
	/* Whose program it was has something to read. */
	for (struct hub_client *client = hub->first; ended && client != NULL; client = client->next)
		waiter_wake(&hub->waiter, &client->waiting);
	if (interest_fired(&hub->door.interest, hub->watch) &&
		hub->share.stdio.ops->write(&hub->share.stdio, NULL, 0, &put, fault) == IO_FAIL)
		return false;
	hub_reload(hub);
	if (loop->wants_report) {
		loop->wants_report = false;
		hub_report(hub);
	}
	if (loop->end_signal != 0)
		hub_obey_signal(hub);
	if (loop->now >= clock_after(hub->lonely, hub->run->plan->accept_wait) && !hub->closing)
		return fault_set(fault, STATUS_TIMEOUT, 0, "accept: no client came in time");
	return hub->space != NULL ? hub_receive_all(hub, fault) : hub_accept(hub, fault);
}

static bool
hub_ask_door(struct hub *hub, struct fault *fault)
{
	struct interest *interest = &hub->door.interest;
	interest_begin(interest);
	hub->signals = interest_ask(interest, signals_fd(), POLLIN);
	child_ask(interest, hub->run->loop.now);
	if (access_awaits(hub->access) != NULL)
		access_ask(hub->access, interest);
	hub->watch = interest_watch(interest, hub->share.watch);
	/* Datagrams come through it for those who are in, too. */
	if (hub_is_open(hub) || (hub->space != NULL && !hub->interrupted))
		listener_ask(hub->listener, interest);
	if (!hub->closing)
		interest_until(interest, clock_after(hub->lonely, hub->run->plan->accept_wait));
	else if (!hub->interrupted)
		interest_until(interest, hub->grace_ends);
	if (!waiter_set(&hub->waiter, &hub->door, false, fault))
		return false;
	/* Whoever comes is told at once that nobody is let in. Not before here: a socket that
	 * others have, too, would be watched for ever. */
	if (hub->closing && hub->space == NULL)
		listener_close(hub->listener);
	return true;
}

/* --- standard input, said to all --- */

/* It is read only while somebody is there who hears it. */
static bool
hub_ask_input(struct hub *hub, struct fault *fault)
{
	interest_begin(&hub->hears.interest);
	if (hub->speaks && hub->share.post.hearers > 0)
		flow_ask(&hub->input, &hub->hears.interest, hub->run->loop.now);
	return waiter_set(&hub->waiter, &hub->hears, false, fault);
}

static bool
hub_step_input(struct hub *hub, struct fault *fault)
{
	if (!hub->speaks || hub->share.post.hearers == 0)
		return true;
	flow_step(&hub->input, &hub->hears.interest, hub->run->loop.now);
	hub->speaks = hub->input.state != FLOW_DONE;
	if (!fault_is_set(&hub->input.fault))
		return true;
	fault_move(fault, &hub->input.fault);
	return false;
}

/* What many share is made ready. */
static bool
hub_open_shared(struct hub *hub, struct fault *fault)
{
	const struct plan *plan = hub->run->plan;
	const struct plan_frames *frames = &plan->frames;
	const struct stdio_config stdio = { .discard = plan->no_output, .raw = plan->raw };
	hub->broker = (struct post){ .limit = plan->queue, .slow = plan->slow };
	hub->share.post = (struct post){ .limit = plan->queue, .slow = plan->slow };
	if (plan->service->broker)
		hub->post = &hub->broker;
	if (plan->service->chat)
		return hub_seat_host(hub, fault);
	if (plan->service != &service_stdio)
		return true;
	hub->post = &hub->share.post;
	if (!share_open(&hub->share, &stdio, !plan->no_input, hub_message_max(plan), fault))
		return false;
	if (plan->no_input || hub->share.file)
		return true;
	const struct flow_config input = {
		.buffer = CARRIER_SIZE,
		.crlf = plan->crlf,
		.delay = plan->delay,
		.decode = frames->used ? &frames->input : NULL,
		.encode = frames->used ? &frames->wire : NULL,
		.oversize = frames->oversize,
	};
	hub->speaks = true;
	return flow_open(&hub->input, &hub->share.stdio, &hub->share.speaker, &input,
		hub->run->loop.now, fault);
}

static bool
hub_turn(struct hub *hub, struct fault *fault)
{
	if (!hub_ask_door(hub, fault) || !hub_ask_input(hub, fault) ||
		!waiter_wait(&hub->waiter, &hub->run->loop.now, fault))
		return false;
	for (struct waiting *next; (next = waiter_next(&hub->waiter)) != NULL;) {
		bool good = next == &hub->door ? hub_answer_door(hub, fault)
			: next == &hub->hears  ? hub_step_input(hub, fault)
					       : hub_step(hub, (struct hub_client *)next, fault);
		if (!good)
			return false;
		hub_wake(hub);
	}
	return true;
}

/* Everything is given back. */
static void
hub_close(struct hub *hub)
{
	while (hub->first != NULL)
		hub_forget(hub, hub->first);
	waiter_remove(&hub->waiter, &hub->door);
	waiter_remove(&hub->waiter, &hub->hears);
	waiter_close(&hub->waiter);
	flow_close(&hub->input);
	share_close(&hub->share);
	free(hub->space);
}

bool
hub_run(struct run *run, struct listener *listener, struct access *access, struct fault *fault)
{
	struct hub hub = {
		.run = run, .listener = listener, .access = access, .lonely = run->loop.now,
		.grace_ends = CLOCK_NEVER
	};
	/* Only where there is something to make anew: otherwise a terminal that goes ends it. */
	run->loop.reloads = run->plan->access.count > 0;
	if (run->loop.reloads)
		signals_request(SIGHUP);
	hub.share.watch = -1;
	waiter_open(&hub.waiter, false);
	bool good = true;
	if (!run->plan->transport->connected) {
		hub.space = malloc(HUB_DATAGRAM);
		good = hub.space != NULL || fault_set(fault, STATUS_MEMORY, ENOMEM, "receive");
	}
	/* Announced when nothing is missing that all need. */
	good = good && hub_open_shared(&hub, fault) && hub_ask_door(&hub, fault) &&
		hub_ask_input(&hub, fault) && ready_announce(run->plan, listener, fault);
	while (good && (!hub.closing || hub.count > 0))
		good = hub_turn(&hub, fault);
	if (good && hub.share.stdio.ops != NULL)
		good = share_finish(&hub.share, fault);
	hub_close(&hub);
	if (good && hub.interrupted)
		return fault_set_signal(fault, run->loop.end_signal);
	if (good && hub.failed > 0)
		return fault_set(fault, STATUS_SOME, 0,
			"listen: %" PRIu64 " of %" PRIu64 " connections failed", hub.failed,
			hub.accepted);
	return good;
}
