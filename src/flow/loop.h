/*
 * The loop: one poll(2) a turn over what the objects ask for, with signals among it, and with what
 * is due for programs that were started.
 *
 *     loop_begin(&loop);
 *     thing_ask(&thing, &loop.interest, loop.now);
 *     if (!loop_wait(&loop, fault)) …
 *     thing_step(&thing, &loop.interest, loop.now, fault);
 */
#ifndef SOCKCAT_FLOW_LOOP_H
#define SOCKCAT_FLOW_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"

struct loop {
	struct interest interest;
	int64_t now;       /* the time of this turn */
	int end_signal;    /* the terminating signal that has come, 0: none */
	bool reloads;      /* set by the owner: SIGHUP is a request, … */
	bool wants_reload; /* … and has come; whoever does it clears it */
	bool wants_report; /* SIGUSR1 has come; whoever reports clears it */
};

/* Takes over the process's signals (signals.h). */
bool loop_open(struct loop *loop, struct fault *fault);

void loop_close(struct loop *loop);

/* Begins a turn: no interest, and the time is now. */
void loop_begin(struct loop *loop);

/*
 * Waits until something of it fires, the deadline passes, or a signal comes; takes the signals in
 * and the time anew. An interrupted wait is a turn in which nothing fired. False and a fault if
 * it cannot wait.
 */
bool loop_wait(struct loop *loop, struct fault *fault);

/* Takes the signals in that have come (signals_fd), and returns whether a child has ended;
 * loop_wait does so itself. */
bool loop_take_signals(struct loop *loop);

/* The same for work that a terminating signal simply ends: then false and that fault, too. */
bool loop_wait_or_end(struct loop *loop, struct fault *fault);

#endif
