/* What the command line asks for, checked and with all defaults filled in. */
#ifndef SOCKCAT_MODE_PLAN_H
#define SOCKCAT_MODE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"
#include "net/endpoint.h"
#include "net/sockopt.h"
#include "net/transport.h"

struct mode;

/* Which end finishes the session. */
enum plan_until {
	PLAN_UNTIL_DEFAULT,
	PLAN_UNTIL_BOTH,
	PLAN_UNTIL_PEER,
	PLAN_UNTIL_INPUT,
	PLAN_UNTIL_EITHER
};

struct plan {
	const struct mode *mode;
	const struct transport *transport;
	struct endpoint endpoint; /* where to connect, or what to listen on */
	struct address local;     /* to bind before connecting; length 0: none */
	uint16_t local_port;      /* the same with any address; 0: none */
	struct sockopt sockopt;
	int64_t wait; /* spans; CLOCK_NEVER: no limit */
	int64_t idle;
	int64_t quit_after;
	int64_t linger;
	enum plan_until until;
	int ready_fd; /* -1: none */
	bool keep_open;
	bool no_input;    /* standard input is not read */
	bool no_output;   /* what is received is dropped */
	bool no_shutdown; /* the end of standard input is not told to the peer */
	bool raw;
	unsigned verbose;
};

#endif
