/*
 * One direction: bytes or messages from a source through a channel to a sink, and the end of it.
 * The whole half-close rule is here; it can be tested without sockets.
 *
 *   OPEN      the source is read, the channel is written to the sink
 *   ENDING    the source is not read any more; the channel is written to the sink
 *   SHUTTING  the channel is empty; the sink is half-closed and acknowledges the data
 *   DONE      nothing is left to do
 *
 * Invariants: state >= SHUTTING => the channel is empty; a set fault => state >= ENDING;
 * read == written + bytes in the channel + lost (all three count bytes as they are in the channel).
 */
#ifndef SOCKCAT_FLOW_FLOW_H
#define SOCKCAT_FLOW_FLOW_H

#include "base/fault.h"
#include "base/pollset.h"
#include "flow/channel.h"
#include "stream/stream.h"

enum flow_state { FLOW_OPEN, FLOW_ENDING, FLOW_SHUTTING, FLOW_DONE };

/* Ways to stop a flow before its source ends, in increasing strength. */
enum flow_stop {
	FLOW_GOES_ON,
	FLOW_STOP_DRAINED, /* read until the source has no data now, then end */
	FLOW_STOP_NOW,     /* read nothing more, write the channel */
	FLOW_STOP_DROP     /* discard the channel, which counts as lost */
};

/*
 * Written bytes wait in the kernel until the other side reads them, which no call of the flow
 * shows. A look detects it. It costs a system call, so it happens only while nothing else moves.
 */
struct flow_view {
	int64_t looked_at;
	int64_t taken_at; /* the last look that found progress since the look before */
	uint64_t written; /* flow.written at the last look */
	size_t untaken;   /* sys_untaken of the sink; 0: none, or not known */
	uint64_t taken;   /* the sink's count of other streams' progress */
};

struct flow {
	struct stream *source, *sink; /* not owned */
	struct channel channel;
	enum flow_state state;
	enum flow_stop stop;
	bool half_close;              /* the sink, at the end; false after a failure */
	bool eof;                     /* the source has ended */
	uint64_t read, written, lost; /* bytes */
	uint64_t reads;               /* messages, or reads with data */
	int64_t moved_at;             /* the last read or write of data */
	int64_t ended_at;             /* the end or the failure of the source; 0: not yet */
	struct flow_view view;        /* the last look */
	struct fault fault;           /* its first failure */
	size_t read_entry, write_entry, hangup_entry;
};

/* False and a fault if there is no memory. */
bool flow_open(struct flow *flow, struct stream *source, struct stream *sink,
	const struct flow_config *config, int64_t now, struct fault *fault);

/* A flow that is DONE from the start; its sink is not half-closed. */
void flow_open_idle(struct flow *flow, struct stream *source, struct stream *sink, int64_t now);

/* Frees what it owns; also good on a zeroed struct. */
void flow_close(struct flow *flow);

/* Adds what the next step waits for. */
void flow_ask(struct flow *flow, struct pollset *pollset, int64_t now);

/* At most one read, one write and one attempt to shut. */
void flow_step(struct flow *flow, const struct pollset *pollset, int64_t now);

/* The last known movement; while a gate holds data, the end of that, as a pause is not idle
 * time. */
int64_t flow_idle_since(const struct flow *flow);

/* When the next look is due, `every` after the last look or movement; CLOCK_NEVER: no data waits
 * for the other side. */
int64_t flow_look_due(const struct flow *flow, int64_t every);

/* Detects whether the other side has read data since the last look. */
void flow_look(struct flow *flow, int64_t now);

/* Whether it waits for its source only. */
bool flow_is_idle(const struct flow *flow);

/* Whether the sink must not be half-closed after what was written. */
static inline bool
flow_keeps_end(const struct flow *flow)
{
	return stage_keeps_end(&flow->channel.stages);
}

/* Whether what has passed is as the stages expect it; `ended`: nothing follows. */
bool flow_check(struct flow *flow, bool ended, struct fault *fault);

/* Stops the flow at least this strongly; returns whether that changed anything, so that it needs
 * a step. */
bool flow_stop(struct flow *flow, enum flow_stop stop);

#endif
