/*
 * One direction: bytes or messages from a source through a carrier to a sink, and what happens at
 * the end. The whole half-close rule is here, and needs no socket to be tried.
 *
 *   OPEN      the source is read, the carrier is written out
 *   ENDING    the source is not read any more; the carrier is written out
 *   SHUTTING  the carrier is empty; the sink is told the end, and the arrival awaited
 *   DONE      nothing is left to do
 *
 * Invariants: state >= SHUTTING => the carrier is empty; a set fault => state >= ENDING;
 * read == written + what the carrier holds + lost (bytes are counted as they are in the carrier).
 */
#ifndef SOCKCAT_FLOW_FLOW_H
#define SOCKCAT_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/interest.h"
#include "flow/carrier.h"
#include "stream/stream.h"

enum flow_state { FLOW_OPEN, FLOW_ENDING, FLOW_SHUTTING, FLOW_DONE };

/* Ways to stop a flow before its source ends, each stronger than the one before. */
enum flow_stop {
	FLOW_GOES_ON,
	FLOW_STOP_DRAINED, /* what is there is still read: "nothing now" counts as the end */
	FLOW_STOP_NOW,     /* nothing more is read; what was read is written */
	FLOW_STOP_DROP     /* what could not be written yet is lost */
};

struct flow {
	struct stream *source, *sink; /* not owned */
	struct carrier carrier;
	enum flow_state state;
	enum flow_stop stop;
	int64_t delay;                /* after each line, or message; 0: none */
	uint64_t read, written, lost; /* bytes */
	uint64_t reads;               /* that brought something; messages where there are some */
	int64_t moved_at;             /* when it last read or wrote anything */
	int64_t paused_until;         /* the end of the pause after the last line */
	struct fault fault;           /* its first failure */
	size_t read_entry, write_entry, watch_entry;
};

/* What is wanted of a flow. */
struct flow_config {
	size_t buffer; /* bounds what it holds, in bytes */
	bool splice;   /* the kernel may move the bytes */
	bool crlf;     /* LF becomes CR LF on the way */
	bool lean;     /* as of struct carrier_config */
	int64_t delay; /* to pause after each line, or message, written; nanoseconds */
	const struct frame *decode, *encode; /* as of struct carrier_config */
	enum carrier_oversize oversize;
	uint64_t most;
};

/* False and a fault if there is no memory. */
bool flow_open(struct flow *flow, struct stream *source, struct stream *sink,
	const struct flow_config *config, int64_t now, struct fault *fault);

/* A flow that has nothing to do from the start: it is DONE, and its sink is told nothing. */
void flow_open_idle(struct flow *flow, struct stream *source, struct stream *sink, int64_t now);

/* Frees what it owns; also good on a zeroed struct. */
void flow_close(struct flow *flow);

/* Asks for what the next step needs. */
void flow_ask(struct flow *flow, struct interest *interest, int64_t now);

/* Does what is possible now: at most one read, one write and one attempt to shut. */
void flow_step(struct flow *flow, const struct interest *interest, int64_t now);

/* Since when it has been idle, or, if something waits for the end of a pause, until when it will be
 * so on purpose: that counts for no limit. */
int64_t flow_idle_since(const struct flow *flow);

/* Stops it at least this much; returns whether that changed anything (then it wants a step). */
bool flow_stop(struct flow *flow, enum flow_stop stop);

#endif
