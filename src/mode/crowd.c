/* The clients of a listener for many; see crowd.h. */
#include "mode/crowd.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mode/service.h"
#include "stream/chat.h"
#include "stream/child.h"
#include "stream/member.h"
#include "stream/socket.h"
#include "sys/sys.h"

/* So many steps of one with datagrams are a turn, as long as it has some left: whoever keeps up
 * takes as many in a turn as one brings. */
#define CROWD_STEPS 64

void
crowd_open(struct crowd *crowd, struct run *run, struct listener *listener)
{
	*crowd = (struct crowd){
		.run = run,
		.listener = listener,
		.share = { .watch = -1 },
		.lonely = run->loop.now,
		.datagrams = !run->plan->transport->connected,
	};
	waiter_open(&crowd->waiter, false);
	roster_open(&crowd->peers, false);
	roster_open(&crowd->hosts, true);
}

void
crowd_close(struct crowd *crowd)
{
	while (crowd->first != NULL)
		crowd_forget(crowd, crowd->first);
	roster_close(&crowd->peers);
	roster_close(&crowd->hosts);
}

/* Who sends datagrams cannot end: while it finishes so much silence is its end. */
static int64_t
crowd_silence_ends(const struct crowd *crowd, const struct guest *client)
{
	if (!crowd->finishing || !crowd->datagrams || client == crowd->host || client->peer.ended ||
		client->session.state != SESSION_RELAYING)
		return CLOCK_NEVER;
	return clock_after(session_moved_at(&client->session), crowd->run->plan->silence);
}

/* Waits for what its next step needs. */
static bool
crowd_ask(struct crowd *crowd, struct guest *client, struct fault *fault)
{
	struct relay *relay = &client->session.relay;
	/* Only there, and where a direction has come further, descriptors are closed or opened. */
	bool anew = client->session.state != SESSION_RELAYING || relay->out.state != client->out ||
		relay->in.state != client->in;
	client->out = relay->out.state;
	client->in = relay->in.state;
	/* Whoever sits here hears what others say by the other flow. */
	if ((client == crowd->host ? client->in : client->out) != FLOW_OPEN)
		post_mute(&client->box);
	interest_begin(&client->waiting.interest);
	session_ask(&client->session, &client->waiting.interest, crowd->run->loop.now);
	interest_until(&client->waiting.interest, crowd_silence_ends(crowd, client));
	return waiter_set(&crowd->waiter, &client->waiting, anew, fault);
}

void
crowd_forget(struct crowd *crowd, struct guest *client)
{
	waiter_remove(&crowd->waiter, &client->waiting);
	roster_remove(&crowd->peers, &client->by_peer);
	roster_remove(&crowd->hosts, &client->by_host);
	session_close(&client->session);
	*(client->previous != NULL ? &client->previous->next : &crowd->first) = client->next;
	if (client->next != NULL)
		client->next->previous = client->previous;
	if (client == crowd->host)
		crowd->host = NULL;
	else if (--crowd->count == 0)
		crowd->lonely = crowd->run->loop.now;
	free(client);
}

void
crowd_wake(struct crowd *crowd, struct waiting *speaker)
{
	for (struct post_box *box;
		crowd->post != NULL && (box = post_next_woken(crowd->post)) != NULL;) {
		if (box == &crowd->share.podium) {
			waiter_wake(&crowd->waiter, speaker);
			continue;
		}
		unsigned char *inside = (unsigned char *)box;
		struct guest *client =
			(struct guest *)(void *)(inside - offsetof(struct guest, box));
		waiter_wake(&crowd->waiter, &client->waiting);
	}
}

/* A failure ends one connection; this is the place that knows it. False if it is not the client's
 * own: what all share has failed. */
static bool
crowd_survives(struct crowd *crowd, struct fault *fault)
{
	const struct service *service = crowd->run->plan->service;
	crowd->failed++;
	if ((service == &service_stdio || service->chat) &&
		(fault->status == STATUS_OUTPUT || fault->status == STATUS_INPUT))
		return false;
	if (!fault->quiet)
		log_event(LOG_ALWAYS, "%s", fault->text != NULL ? fault->text : "failed");
	fault_clear(fault);
	return true;
}

/* What has moved so far, in messages and in bytes. */
static uint64_t
crowd_moved(const struct relay *relay)
{
	return relay->out.reads + relay->out.written + relay->in.reads + relay->in.written;
}

/* True when its session is over. */
static bool
crowd_step_session(struct crowd *crowd, struct guest *client)
{
	struct session *session = &client->session;
	int64_t now = crowd->run->loop.now;
	uint64_t moved;
	bool over;
	int left = CROWD_STEPS;
	do {
		moved = crowd_moved(&session->relay);
		over = session_step(session, &client->waiting.interest, now);
	} while (!over && client->peer.first != NULL && moved != crowd_moved(&session->relay) &&
		--left > 0);
	return over;
}

/* Something that it sent, or that was for it, was left out; the counts tell it. */
static bool
crowd_missed(const struct guest *client)
{
	return client->peer.left_out > 0 || client->box.dropped > 0;
}

/* Its session is over; how it went. Who sends datagrams has no other end than silence. */
static bool
crowd_end(struct crowd *crowd, struct guest *client, struct fault *fault)
{
	peer_leave_out(&client->peer);
	bool good = session_end(&client->session, fault);
	if (crowd->datagrams && !good && fault->status == STATUS_TIMEOUT &&
		!session_holds(&client->session) && client->session.state == SESSION_RELAYING) {
		fault_clear(fault);
		good = true;
	}
	return good && crowd_missed(client) ? fault_set_quiet(fault, STATUS_SOME) : good;
}

bool
crowd_step(struct crowd *crowd, struct guest *client, struct fault *fault)
{
	struct run *run = crowd->run;
	struct session *session = &client->session;
	if (run->loop.now >= crowd_silence_ends(crowd, client))
		peer_end(&client->peer);
	bool over = crowd_step_session(crowd, client);
	/* Only now: what waits for it in its box has been read. */
	if (!over && crowd->interrupted) {
		session_interrupt(session, run->loop.end_signal, run->loop.now);
		over = session_step(session, &client->waiting.interest, run->loop.now);
	}
	bool good = over ? crowd_end(crowd, client, fault) : crowd_ask(crowd, client, fault);
	if (good && !over)
		return true;
	crowd_forget(crowd, client);
	return record_report(&run->record, fault) && (good || crowd_survives(crowd, fault));
}

void
crowd_finish(struct crowd *crowd)
{
	crowd->closing = crowd->finishing = true;
	for (struct guest *client = crowd->first; client != NULL; client = client->next)
		waiter_wake(&crowd->waiter, &client->waiting);
}

void
crowd_overflow(struct crowd *crowd, struct guest *client)
{
	struct fault fault = FAULT_NONE;
	/* Cut off there, what others write next would belong to it. */
	if (crowd->run->plan->slow != POST_DISCONNECT || client->session.local.begun)
		return;
	(void)fault_set(&fault, STATUS_RECEIVE, 0,
		"receive from %s: what it sends is not taken, %zu bytes wait",
		client->session.remote.name, client->peer.waiting);
	session_fail(&client->session, &fault, crowd->run->loop.now);
	waiter_wake(&crowd->waiter, &client->waiting);
}

size_t
crowd_message_max(const struct plan *plan)
{
	return plan->transport->message_max > 0 ? plan->transport->message_max
		: plan->frames.used             ? SIZE_MAX
						: 0;
}

/* What the client has on its other side, if many share it. */
static bool
crowd_init_local(struct crowd *crowd, struct guest *client, struct fault *fault)
{
	const struct plan *plan = crowd->run->plan;
	struct stream *local = &client->session.local;
	if (plan->service == &service_stdio)
		return share_init(local, &crowd->share, &client->box, fault);
	if (!plan->service->broker)
		return true;
	if (plan->service->chat) {
		char name[CHAT_NAME_MAX];
		(void)snprintf(name, sizeof name, "user%" PRIu64, crowd->accepted);
		return chat_init(local, &crowd->broker, &client->box, name, fault);
	}
	return member_init(local, &crowd->broker, &client->box, crowd_message_max(plan), fault);
}

static struct guest *
crowd_add(struct crowd *crowd)
{
	struct guest *client = calloc(1, sizeof *client);
	if (client == NULL)
		return NULL;
	client->next = crowd->first;
	if (crowd->first != NULL)
		crowd->first->previous = client;
	crowd->first = client;
	return client;
}

bool
crowd_seat_host(struct crowd *crowd, struct fault *fault)
{
	struct run *run = crowd->run;
	const struct stdio_config stdio = { .raw = run->plan->raw };
	struct guest *host = crowd->host = crowd_add(crowd);
	if (host == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "standard input and output");
	return stdio_init(&host->session.local, &stdio, fault) &&
		chat_init(&host->session.remote, &crowd->broker, &host->box, run->plan->nick,
			fault) &&
		session_open(&host->session, run, run->loop.now, fault) &&
		crowd_ask(crowd, host, fault);
}

void
crowd_dismiss_host(struct crowd *crowd)
{
	if (crowd->host == NULL || crowd->post->ended || crowd->interrupted)
		return;
	(void)flow_stop(&crowd->host->session.relay.out, FLOW_STOP_NOW);
	post_end(crowd->post);
	waiter_wake(&crowd->waiter, &crowd->host->waiting);
}

/* Its address is known from now on. */
static bool
crowd_enter(struct crowd *crowd, struct guest *client, struct fault *fault)
{
	const struct address *peer = &client->session.peer;
	bool entered = (!crowd->datagrams || roster_add(&crowd->peers, &client->by_peer, peer)) &&
		(crowd->run->plan->max_per_host == 0 ||
			roster_add(&crowd->hosts, &client->by_host, peer));
	return entered || fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
}

/* The stream of somebody who has come; the descriptor and the name are taken over. */
static bool
crowd_init_remote(struct crowd *crowd, struct guest *client, struct listener_client *caller,
	char *name, struct fault *fault)
{
	const struct plan *plan = crowd->run->plan;
	struct stream *remote = &client->session.remote;
	if (!crowd->datagrams)
		return socket_init(remote, plan->transport, caller->fd, 0, name, fault);
	return peer_init(remote, &client->peer, plan->transport, &caller->peer, plan->queue,
		&crowd->full, name, fault);
}

bool
crowd_begin(struct crowd *crowd, struct listener_client *caller, struct fault *fault)
{
	struct run *run = crowd->run;
	struct guest *client = crowd_add(crowd);
	char *name = address_print(&caller->peer);
	listener_report(caller, log_event);
	crowd->accepted++;
	crowd->closing = crowd->accepted == run->plan->max_accepts;
	if (client == NULL) {
		free(name);
		(void)sys_close(&caller->fd);
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "accept");
		return crowd_survives(crowd, fault);
	}
	client->session.peer = caller->peer;
	crowd->count++;
	crowd->lonely = CLOCK_NEVER;
	if (crowd_init_remote(crowd, client, caller, name, fault) &&
		crowd_enter(crowd, client, fault) && crowd_init_local(crowd, client, fault) &&
		session_open(&client->session, run, run->loop.now, fault) &&
		crowd_ask(crowd, client, fault))
		return true;
	crowd_forget(crowd, client);
	return crowd_survives(crowd, fault);
}

bool
crowd_is_full(const struct crowd *crowd)
{
	const struct plan *plan = crowd->run->plan;
	return crowd->count >= plan->max_conns || child_count() >= plan->max_children;
}

/* Whether there are as many from its address as there may be. */
static bool
crowd_is_crowded(const struct crowd *crowd, const struct address *peer)
{
	uint64_t most = crowd->run->plan->max_per_host;
	return most > 0 && roster_count(&crowd->hosts, peer) >= most;
}

bool
crowd_refuses(struct crowd *crowd, struct listener_client *caller)
{
	bool crowded = crowd_is_crowded(crowd, &caller->peer);
	if (!crowd_is_full(crowd) && !crowded)
		return false;
	char *name = address_print(&caller->peer);
	log_event(LOG_VERBOSE, "refused %s: %s", name != NULL ? name : "?",
		crowded ? "there are too many from its address" : "there are too many");
	free(name);
	listener_turn_away(crowd->listener, caller);
	crowd->refused++;
	return true;
}

struct guest *
crowd_find(struct crowd *crowd, const struct address *peer)
{
	struct roster_entry *entry = roster_find(&crowd->peers, peer);
	unsigned char *inside = (unsigned char *)entry;
	if (entry == NULL)
		return NULL;
	return (struct guest *)(void *)(inside - offsetof(struct guest, by_peer));
}

void
crowd_make_room(struct crowd *crowd, const struct address *peer)
{
	struct guest *oldest = NULL;
	int64_t since = CLOCK_NEVER;
	/* A program that is being ended leaves a place soon. */
	if ((crowd->count < crowd->run->plan->max_conns && crowd->count < child_count()) ||
		crowd_is_crowded(crowd, peer))
		return;
	for (struct guest *client = crowd->first; client != NULL; client = client->next) {
		int64_t moved = session_moved_at(&client->session);
		if (client == crowd->host || client->session.local.begun || moved > since)
			continue;
		oldest = client;
		since = moved;
	}
	if (oldest == NULL)
		return;
	peer_leave_out(&oldest->peer);
	oldest->box.dropped += oldest->box.count;
	bool lost = crowd_missed(oldest) || session_holds(&oldest->session);
	crowd->failed += lost;
	session_report(
		log_event, lost ? LOG_ALWAYS : LOG_VERBOSE, "left for another", &oldest->session);
	crowd_forget(crowd, oldest);
}

void
crowd_report(const struct crowd *crowd)
{
	log_settle(0);
	log_line(LOG_ALWAYS,
		"%zu clients, %" PRIu64 " so far, %" PRIu64 " failed, %" PRIu64 " refused",
		crowd->count, crowd->accepted, crowd->failed, crowd->refused);
	for (const struct guest *client = crowd->first; client != NULL; client = client->next)
		session_report(log_line, LOG_ALWAYS, "session", &client->session);
}
