/*
 * Messages about a session between standard input and output and one peer: what the end of standard
 * input did to the connection, what an idle session waits for, and that the peer may have treated a
 * half-close as an abort.
 */
#ifndef SOCKCAT_ENGINE_NOTICE_H
#define SOCKCAT_ENGINE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pollset.h"
#include "flow/relay.h"
#include "engine/config.h"

/* What an idle session waits for. */
enum notice_wait {
	NOTICE_WAIT_NONE,
	NOTICE_WAIT_INPUT, /* the peer has finished, standard input is open and idle */
	NOTICE_WAIT_REPLY, /* an HTTP/1 request was sent without half-close, and nothing was
			      received */
	NOTICE_WAIT_PEER   /* an HTTP/1 response was received, and the server keeps the connection
			      open */
};

struct notice {
	const struct config *config; /* not owned; NULL: no messages */
	bool connects;               /* the remote side was dialled */
	bool end_reported;           /* the choice of --end */
	bool reported;               /* `wait` has been reported */
	bool shut;                   /* half-closed before the peer ended */
	enum notice_wait wait;
	int64_t due;       /* when to report `wait`; CLOCK_NEVER: not now */
	uint64_t received; /* bytes received until then */
};

void notice_open(struct notice *notice, const struct config *config, bool connects);

/* Sets the deadline of the next message. */
void notice_ask(const struct notice *notice, struct pollset *pollset);

/* After each step of the relay. */
void notice_step(struct notice *notice, const struct relay *relay, int64_t now);

/* The session is over. */
void notice_close(const struct notice *notice, const struct relay *relay);

#endif
