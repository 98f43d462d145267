/* A listener for many; see hub.h. */
#include "mode/hub.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/signals.h"
#include "mode/crowd.h"
#include "mode/ready.h"
#include "mode/service.h"
#include "stream/child.h"
#include "sys/sys.h"

/* So many clients are let in before those that are in are looked after. */
#define HUB_BATCH 64

/* What a socket is asked for as one datagram; UDP never has more. */
#define HUB_DATAGRAM 65536

struct hub {
	struct crowd crowd;
	struct access *access;
	struct waiting door;   /* the listener, signals, and a reader that goes away */
	size_t signals, watch; /* the entries in it */
	struct flow input;     /* standard input, as far as it is said to all */
	struct waiting hears;  /* what that flow waits for */
	bool speaks;           /* there is that flow, and it has not ended */
	unsigned char *space;  /* owned: for one datagram */
	int64_t grace_ends;    /* a signal has come: then who is in is interrupted */
};

/* --- the door --- */

/* Whether anybody is let in, or sent away. */
static bool
hub_is_open(const struct hub *hub)
{
	return !hub->crowd.closing && (hub->crowd.run->plan->refuse || !crowd_is_full(&hub->crowd));
}

/* --- datagrams --- */

/* What somebody has sent is handed on, to a session that is there or is begun now. */
static bool
hub_hand_on(struct hub *hub, int fd, const struct sys_message *message, struct fault *fault)
{
	struct listener_client caller = { .fd = -1,
		.peer = { message->from, message->from_length } };
	struct guest *client = crowd_find(&hub->crowd, &caller.peer);
	if (client == NULL) {
		if (hub->crowd.closing || !listener_permits(hub->crowd.listener, &caller.peer))
			return true;
		if (crowd_is_full(&hub->crowd) && !hub->crowd.run->plan->refuse)
			crowd_make_room(&hub->crowd, &caller.peer);
		if (crowd_refuses(&hub->crowd, &caller))
			return true;
		if (!crowd_begin(&hub->crowd, &caller, fault))
			return false;
		client = crowd_find(&hub->crowd, &caller.peer);
	}
	if (client == NULL)
		return true;
	switch (peer_take(&client->peer, fd, hub->space, message)) {
	case PEER_TAKEN:
		waiter_wake(&hub->crowd.waiter, &client->waiting);
		break;
	case PEER_FULL:
		crowd_overflow(&hub->crowd, client);
		break;
	case PEER_LOST:
		log_event(LOG_ALWAYS, "receive from %s: a datagram is lost: out of memory",
			client->session.remote.name);
		hub->crowd.failed++;
		break;
	}
	return true;
}

/* Whether datagrams are received, though there may be no room for them: the kernel would keep them,
 * but those of all. */
static bool
hub_receives(const struct hub *hub)
{
	const struct crowd *crowd = &hub->crowd;
	return !crowd->interrupted && (crowd->full == 0 || crowd->run->plan->slow != POST_WAIT);
}

/* Takes what has come to one socket, but no more than leaves the others a turn, and only until
 * more than `full` peers have no room left: whoever has none now has a turn, too, before anything
 * is left out. */
static bool
hub_receive(struct hub *hub, int fd, size_t full, struct fault *fault)
{
	for (int i = 0; i < HUB_BATCH && hub->crowd.full <= full && hub_receives(hub); i++) {
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
			log_event(LOG_ALWAYS, "receive: a datagram is longer than %d bytes",
				HUB_DATAGRAM);
			hub->crowd.failed++;
		} else if (!hub_hand_on(hub, fd, &message, fault)) {
			return false;
		}
	}
	return true;
}

static bool
hub_receive_all(struct hub *hub, struct fault *fault)
{
	const struct listener *listener = hub->crowd.listener;
	size_t full = hub->crowd.full;
	for (size_t i = 0; i < listener->count; i++)
		if (interest_fired(&hub->door.interest, listener->sockets[i].entry) &&
			!hub_receive(hub, listener->sockets[i].fd, full, fault))
			return false;
	return true;
}

static bool
hub_accept(struct hub *hub, struct fault *fault)
{
	struct loop *loop = &hub->crowd.run->loop;
	for (int i = 0; i < HUB_BATCH && hub_is_open(hub); i++) {
		struct listener_client caller;
		switch (listener_accept(
			hub->crowd.listener, &hub->door.interest, loop->now, &caller, fault)) {
		case IO_OK:
			if (!crowd_refuses(&hub->crowd, &caller) &&
				!crowd_begin(&hub->crowd, &caller, fault))
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

/* What is already read still goes out, within a moment. */
static void
hub_interrupt(struct hub *hub)
{
	struct stream *speaker = &hub->crowd.share.speaker;
	hub->crowd.interrupted = true;
	if (hub->speaks) {
		speaker->half_close = false;
		(void)flow_stop(&hub->input, FLOW_STOP_NOW);
		/* Until all is said, or has to wait for somebody. */
		do
			flow_step(&hub->input, &hub->hears.interest, hub->crowd.run->loop.now);
		while (hub->input.state != FLOW_DONE && speaker->wagain == 1);
		hub->speaks = false;
	}
	for (struct guest *client = hub->crowd.first; client != NULL; client = client->next)
		waiter_wake(&hub->crowd.waiter, &client->waiting);
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
	struct loop *loop = &hub->crowd.run->loop;
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
	const struct loop *loop = &hub->crowd.run->loop;
	int64_t grace = loop->end_signal == SIGTERM ? hub->crowd.run->plan->grace : 0;
	if (hub->grace_ends == CLOCK_NEVER)
		hub->grace_ends = clock_after(loop->now, grace);
	if (!hub->crowd.finishing)
		crowd_finish(&hub->crowd);
	if (loop->now >= hub->grace_ends && !hub->crowd.interrupted)
		hub_interrupt(hub);
}

static bool
hub_answer_door(struct hub *hub, struct fault *fault)
{
	struct loop *loop = &hub->crowd.run->loop;
	size_t put;
	bool ended = interest_fired(&hub->door.interest, hub->signals) && loop_take_signals(loop);
	child_look(ended, loop->now);
	/* Whose program it was has something to read. */
	for (struct guest *client = hub->crowd.first; ended && client != NULL;
		client = client->next)
		waiter_wake(&hub->crowd.waiter, &client->waiting);
	if (interest_fired(&hub->door.interest, hub->watch) &&
		hub->crowd.share.stdio.ops->write(&hub->crowd.share.stdio, NULL, 0, &put, fault) ==
			IO_FAIL)
		return false;
	hub_reload(hub);
	if (loop->now >= log_owes())
		log_settle(0);
	if (loop->wants_report) {
		loop->wants_report = false;
		crowd_report(&hub->crowd);
	}
	if (loop->end_signal != 0)
		hub_obey_signal(hub);
	/* Nobody can come before the programs of those who have gone have ended. */
	if (hub->crowd.count == 0 && crowd_is_full(&hub->crowd))
		hub->crowd.lonely = loop->now;
	if (loop->now >= clock_after(hub->crowd.lonely, hub->crowd.run->plan->accept_wait) &&
		!hub->crowd.closing)
		return fault_set(fault, STATUS_TIMEOUT, 0, "accept: no client came in time");
	return hub->crowd.datagrams ? hub_receive_all(hub, fault) : hub_accept(hub, fault);
}

static bool
hub_ask_door(struct hub *hub, struct fault *fault)
{
	struct interest *interest = &hub->door.interest;
	interest_begin(interest);
	hub->signals = interest_ask(interest, signals_fd(), POLLIN);
	child_ask(interest, hub->crowd.run->loop.now);
	if (access_awaits(hub->access) != NULL)
		access_ask(hub->access, interest);
	interest_until(interest, log_owes());
	hub->watch = interest_watch(interest, hub->crowd.share.watch);
	/* Datagrams come through it for those who are in, too. */
	if (hub->crowd.datagrams ? hub_receives(hub) : hub_is_open(hub))
		listener_ask(hub->crowd.listener, interest);
	if (!hub->crowd.closing)
		interest_until(interest,
			clock_after(hub->crowd.lonely, hub->crowd.run->plan->accept_wait));
	else if (!hub->crowd.interrupted)
		interest_until(interest, hub->grace_ends);
	if (!waiter_set(&hub->crowd.waiter, &hub->door, false, fault))
		return false;
	/* Whoever comes is told at once that nobody is let in. Not before here: a socket that
	 * others have, too, would be watched for ever. */
	if (hub->crowd.closing && !hub->crowd.datagrams)
		listener_close(hub->crowd.listener);
	return true;
}

/* --- standard input, said to all --- */

/* It is read only while somebody is there who hears it. */
static bool
hub_ask_input(struct hub *hub, struct fault *fault)
{
	interest_begin(&hub->hears.interest);
	if (hub->speaks && hub->crowd.share.post.hearers > 0)
		flow_ask(&hub->input, &hub->hears.interest, hub->crowd.run->loop.now);
	return waiter_set(&hub->crowd.waiter, &hub->hears, false, fault);
}

static bool
hub_step_input(struct hub *hub, struct fault *fault)
{
	if (!hub->speaks || hub->crowd.share.post.hearers == 0)
		return true;
	flow_step(&hub->input, &hub->hears.interest, hub->crowd.run->loop.now);
	hub->speaks = hub->input.state != FLOW_DONE;
	post_expect(&hub->crowd.share.post, hub->input.read != hub->input.written);
	if (!fault_is_set(&hub->input.fault))
		return true;
	fault_move(fault, &hub->input.fault);
	return false;
}

/* Whether all that was read of it has been said to somebody. */
static bool
hub_end_input(struct hub *hub, struct fault *fault)
{
	struct flow *input = &hub->input;
	if (!hub->speaks)
		return true;
	if (input->read != input->written)
		return fault_set(fault, STATUS_SEND, 0,
			"send to all clients: all have gone, and %" PRIu64
			" bytes of standard input are left over",
			input->read - input->written);
	(void)flow_stop(input, FLOW_STOP_NOW);
	flow_step(input, &hub->hears.interest, hub->crowd.run->loop.now);
	if (!fault_is_set(&input->fault))
		return true;
	fault_move(fault, &input->fault);
	return false;
}

/* What many share is made ready. */
static bool
hub_open_shared(struct hub *hub, struct fault *fault)
{
	const struct plan *plan = hub->crowd.run->plan;
	const struct plan_frames *frames = &plan->frames;
	const struct stdio_config stdio = { .discard = plan->no_output, .raw = plan->raw };
	hub->crowd.broker = (struct post){ .limit = plan->queue, .slow = plan->slow };
	hub->crowd.share.post = (struct post){ .limit = plan->queue, .slow = plan->slow };
	if (plan->service->broker)
		hub->crowd.post = &hub->crowd.broker;
	if (plan->service->chat)
		return crowd_seat_host(&hub->crowd, fault);
	if (plan->service != &service_stdio)
		return true;
	hub->crowd.post = &hub->crowd.share.post;
	if (!share_open(&hub->crowd.share, &stdio, !plan->no_input, crowd_message_max(plan), fault))
		return false;
	if (plan->no_input || hub->crowd.share.file)
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
	return flow_open(&hub->input, &hub->crowd.share.stdio, &hub->crowd.share.speaker, &input,
		hub->crowd.run->loop.now, fault);
}

static bool
hub_turn(struct hub *hub, struct fault *fault)
{
	if (!hub_ask_door(hub, fault) || !hub_ask_input(hub, fault) ||
		!waiter_wait(&hub->crowd.waiter, &hub->crowd.run->loop.now, fault))
		return false;
	for (struct waiting *next; (next = waiter_next(&hub->crowd.waiter)) != NULL;) {
		bool good = next == &hub->door ? hub_answer_door(hub, fault)
			: next == &hub->hears
			? hub_step_input(hub, fault)
			: crowd_step(&hub->crowd, (struct guest *)next, fault);
		if (!good)
			return false;
		crowd_wake(&hub->crowd, &hub->hears);
	}
	return true;
}

static bool
hub_goes_on(struct hub *hub)
{
	if (!hub->crowd.closing || hub->crowd.count > 0)
		return true;
	crowd_dismiss_host(&hub->crowd);
	return hub->crowd.host != NULL;
}

/* Nobody is there any more, and nobody comes: how it went. */
static bool
hub_conclude(struct hub *hub, struct fault *fault)
{
	struct crowd *crowd = &hub->crowd;
	if (crowd->share.stdio.ops != NULL && !share_finish(&crowd->share, fault))
		return false;
	if (crowd->interrupted)
		return fault_set_signal(fault, crowd->run->loop.end_signal);
	if (crowd->failed > 0)
		return fault_set(fault, STATUS_SOME, 0,
			"listen: %" PRIu64 " of %" PRIu64 " connections failed", crowd->failed,
			crowd->accepted);
	return hub_end_input(hub, fault);
}

/* Everything is given back. */
static void
hub_close(struct hub *hub)
{
	crowd_close(&hub->crowd);
	waiter_remove(&hub->crowd.waiter, &hub->door);
	waiter_remove(&hub->crowd.waiter, &hub->hears);
	waiter_close(&hub->crowd.waiter);
	flow_close(&hub->input);
	share_close(&hub->crowd.share);
	free(hub->space);
}

bool
hub_run(struct run *run, struct listener *listener, struct access *access, struct fault *fault)
{
	struct hub hub = { .access = access, .grace_ends = CLOCK_NEVER };
	crowd_open(&hub.crowd, run, listener);
	/* Only where there is something to make anew: otherwise a terminal that goes ends it. */
	run->loop.reloads = run->plan->access.count > 0;
	if (run->loop.reloads)
		signals_request(SIGHUP);
	bool good = true;
	if (hub.crowd.datagrams) {
		hub.space = malloc(HUB_DATAGRAM);
		good = hub.space != NULL || fault_set(fault, STATUS_MEMORY, ENOMEM, "receive");
	}
	/* Announced when nothing is missing that all need. */
	good = good && hub_open_shared(&hub, fault) && hub_ask_door(&hub, fault) &&
		hub_ask_input(&hub, fault) && ready_announce(run->plan, listener, fault);
	while (good && hub_goes_on(&hub))
		good = hub_turn(&hub, fault);
	good = good && hub_conclude(&hub, fault);
	hub_close(&hub);
	return good;
}
