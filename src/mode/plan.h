/* What the command line asks for, checked and with all defaults filled in. */
#ifndef SOCKCAT_MODE_PLAN_H
#define SOCKCAT_MODE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"
#include "frame/frame.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/ports.h"
#include "net/resolve.h"
#include "net/sockopt.h"
#include "net/transport.h"
#include "net/users.h"
#include "stream/post.h"
#include "stream/record.h"

struct mode;
struct service;

/* Which end finishes the session. */
enum plan_until {
	PLAN_UNTIL_DEFAULT,
	PLAN_UNTIL_BOTH,
	PLAN_UNTIL_PEER,
	PLAN_UNTIL_INPUT,
	PLAN_UNTIL_EITHER
};

/* How messages lie in what comes and goes. */
struct plan_frames {
	bool used; /* otherwise there are none but the socket's own */
	struct frame wire, input, output;
	enum carrier_oversize oversize;
};

/* Where a connection is carried on to. */
struct plan_to {
	const struct transport *transport; /* NULL: nowhere */
	struct endpoint endpoint;
};

/* What is run for each connection, in place of standard input and output. */
struct plan_program {
	char *path;         /* owned: its file; NULL: nothing is run */
	char **argv;        /* owned, but not its words */
	const char *name;   /* for messages; not owned */
	bool status;        /* its exit status becomes ours */
	bool terminal;      /* it gets a terminal */
	bool clear;         /* it gets little of our environment */
	uint64_t processes; /* its user may have so many; 0: no limit of its own */
};

struct plan {
	const struct mode *mode;
	const struct service *service;
	const struct transport *transport;
	struct endpoint endpoint;   /* where to connect, or what to listen on */
	struct ports ports;         /* the ports to probe, instead of the endpoint's; may be none */
	int inherited[RESOLVE_MAX]; /* sockets that are there already, instead of the endpoint, … */
	size_t inherited_count;     /* … only to listen more than one; 0: none */
	struct address local;       /* to bind before connecting; length 0: none */
	uint16_t local_port;        /* the same with any address; 0: none */
	struct sockopts sockopts;
	struct access_config access; /* who may be a client, … */
	struct users users;          /* … of a Unix socket; none: all */
	struct record_config record;
	struct plan_frames frames;
	struct plan_to to;
	struct plan_program program;
	int64_t wait; /* spans; CLOCK_NEVER: no limit */
	int64_t accept_wait;
	int64_t grace;   /* for those who are in when SIGTERM comes */
	int64_t silence; /* after which one who cannot end has ended, once that is waited for */
	int64_t idle;
	int64_t quit_after;
	int64_t linger;
	int64_t delay;          /* after each line sent; 0: none */
	uint64_t receive_limit; /* messages; 0: none */
	uint64_t max_children;  /* programs at a time, with those that are being ended */
	uint64_t max_conns;     /* clients at a time, … */
	uint64_t max_per_host;  /* … from one address; 0: no limit of its own, … */
	uint64_t max_accepts;   /* … and in all; 0: no limit */
	size_t queue;           /* bytes that may wait for a client that is spoken to, … */
	enum post_slow slow;    /* … and what is done if that is not enough */
	const char *nick;       /* the operator's name in a chat; not owned */
	bool refuse;            /* who is one too many is sent away, instead of waiting */
	enum plan_until until;
	int ready_fd; /* -1: none */
	bool keep_open;
	bool no_input;    /* standard input is not read */
	bool no_output;   /* what is received is dropped */
	bool no_shutdown; /* the end of standard input is not told to the peer */
	bool crlf;
	bool telnet;
	bool raw;
	bool no_splice; /* every byte passes through the process */
	bool compat;    /* with nc: the exit status is 0, 1 or 2 */
	unsigned verbose;
};

/* Frees what it owns; also good on a zeroed struct. */
void plan_close(struct plan *plan);

#endif
