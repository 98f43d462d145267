/*
 * The clients of a listener for many: each with a session of its own, and what all of them share.
 * What fails of one is told at once, and ends no other.
 */
#ifndef SOCKCAT_MODE_CROWD_H
#define SOCKCAT_MODE_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "flow/flow.h"
#include "flow/waiter.h"
#include "mode/mode.h"
#include "mode/roster.h"
#include "mode/session.h"
#include "net/listener.h"
#include "stream/peer.h"
#include "stream/post.h"
#include "stream/share.h"

struct guest {
	struct waiting waiting; /* first: the waiter gives it back */
	struct session session;
	struct peer peer;        /* its datagrams, if it is no connection */
	struct post_box box;     /* what waits for it, if others speak to it */
	enum flow_state out, in; /* after its last step */
	struct roster_entry by_peer, by_host;
	struct guest *next, *previous;
};

struct crowd {
	struct run *run;
	struct listener *listener;
	struct waiter waiter;
	struct post *post;         /* where clients are spoken to; NULL: they are not */
	struct post broker;        /* the one of a broker, … */
	struct share share;        /* … that of standard input and output */
	struct guest *first;       /* owned */
	struct guest *host;        /* who sits here and takes part, not counted; NULL: nobody */
	struct roster peers;       /* those with datagrams, by address, … */
	struct roster hosts;       /* … and if each address may have so many, by that */
	size_t count;              /* clients that are in */
	uint64_t accepted, failed; /* so far, … */
	uint64_t refused;          /* … and those who were one too many */
	int64_t lonely;            /* nobody has been in since; CLOCK_NEVER: somebody is */
	size_t full;               /* peers of which too much waits */
	bool datagrams;            /* they are peers, not connections */
	bool closing;              /* nobody is let in any more, … */
	bool finishing;            /* … because a signal gives those who are in time to finish */
	bool interrupted;          /* a signal ends them */
};

/* Ready for what all share; nobody is in. */
void crowd_open(struct crowd *crowd, struct run *run, struct listener *listener);

/* Everybody leaves. */
void crowd_close(struct crowd *crowd);

/* Whether there are as many clients, or programs, as there may be. */
bool crowd_is_full(const struct crowd *crowd);

/* Sends somebody away who is one too many; whether that was so. */
bool crowd_refuses(struct crowd *crowd, struct listener_client *caller);

/* Begins a session with somebody who has come; the descriptor is taken over. False and a fault only
 * if none can go on. */
bool crowd_begin(struct crowd *crowd, struct listener_client *caller, struct fault *fault);

/* Whoever sits at standard input takes part in the chat as if by a connection. */
bool crowd_seat_host(struct crowd *crowd, struct fault *fault);

/* Nobody else is there, nor will come: the host gets to read what was said, and leaves. */
void crowd_dismiss_host(struct crowd *crowd);

/* Does what one can do now; it may be gone then. False and a fault only if none can go on. */
bool crowd_step(struct crowd *crowd, struct guest *client, struct fault *fault);

/* Nobody is let in any more, and who is in finishes. */
void crowd_finish(struct crowd *crowd);

/* Its peer's datagrams are too many for what takes them: what is done about that. */
void crowd_overflow(struct crowd *crowd, struct guest *client);

/* Closes everything that one has, and forgets it. */
void crowd_forget(struct crowd *crowd, struct guest *client);

/* Whoever something came for, or who may try again, has a turn; `speaker` for who speaks to all. */
void crowd_wake(struct crowd *crowd, struct waiting *speaker);

/* The peer's, NULL if there is none. */
struct guest *crowd_find(struct crowd *crowd, const struct address *peer);

/* Whoever has been silent for longest leaves, so that this peer may come, at once or when the
 * program has ended; nobody, if there are too many from its address anyway. */
void crowd_make_room(struct crowd *crowd, const struct address *peer);

/* What is said to clients: messages of at most so many bytes; 0: bytes. */
size_t crowd_message_max(const struct plan *plan);

/* Lines of statistics. */
void crowd_report(const struct crowd *crowd);

#endif
