/*
 * How far the sessions have got (--progress): a line that is replaced, lines from time to time, or
 * objects in JSON. It reads the counters of the flows, so that the kernel can go on moving the
 * data.
 */
#ifndef SOCKCAT_ENGINE_PROGRESS_H
#define SOCKCAT_ENGINE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "base/fault.h"
#include "base/meter.h"
#include "engine/engine.h"

struct run;
struct session;

/* One direction of all sessions. */
struct progress_side {
	struct meter meter;
	uint64_t size;  /* of the only session: all bytes, 0: not known */
	bool confirmed; /* of the only session: all bytes have arrived */
};

struct progress {
	struct task task; /* first: found by its address */
	struct run *run;  /* NULL: nothing is shown */
	const struct progress_form *form;
	struct session *first; /* relaying sessions; not owned */
	uint64_t sessions;     /* that have begun */
	int64_t began;         /* the first one */
	int64_t due, print_at; /* the next count, the next line; CLOCK_NEVER: none */
	struct progress_side sent, received;
	struct event ended; /* the counts of sessions that have ended */
	bool sends;         /* the only session can send */
	bool shares;        /* standard output is the terminal where the line is shown */
	bool gave_way;      /* data was written there: the line is not shown any more */
};

/* A session's place in the list. */
struct progress_entry {
	struct session *next, *previous;
	bool listed;
};

/* Starts to show what the configuration asks for. False and a fault if there is no memory. */
bool progress_open(struct progress *progress, struct run *run, struct fault *fault);

/* A session relays from now on. */
void progress_add(struct progress *progress, struct session *session, int64_t now);

/* It does not any more: its counts are final. Also good on a session that was not added. */
void progress_remove(struct progress *progress, struct session *session);

/* The run has ended: prints the result. A zeroed struct is allowed. */
void progress_close(struct progress *progress);

#endif
