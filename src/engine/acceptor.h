/*
 * The acceptor: loads the access lists, listens, reports readiness, and accepts clients. With -k it
 * handles the signals and reloads the lists.
 */
#ifndef SOCKCAT_ENGINE_ACCEPTOR_H
#define SOCKCAT_ENGINE_ACCEPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "engine/clients.h"
#include "engine/input.h"
#include "engine/notify.h"
#include "engine/receiver.h"
#include "engine/run.h"
#include "net/acl.h"
#include "net/listener.h"

/* In this order. */
enum acceptor_state {
	ACCEPTOR_LOADING,   /* names in the access lists are resolved */
	ACCEPTOR_LISTENING, /* the name to listen on is resolved */
	ACCEPTOR_SHARING,   /* shared resources are opened */
	ACCEPTOR_NOTIFYING, /* readiness is reported */
	ACCEPTOR_ACCEPTING
};

struct acceptor {
	struct task task; /* first: found by its address */
	struct run *run;
	enum acceptor_state state;
	int64_t deadline; /* of LOADING and LISTENING */
	struct acl access;
	struct listener_config listener_config;
	struct listener listener;
	struct notify notify;
	struct clients clients;
	struct input input;       /* standard input shared by many clients */
	struct receiver receiver; /* of datagram peers, instead of accepting */
	size_t watch;             /* the entry for the end of standard output's reader */
	int64_t grace_ends;       /* after a signal: when the sessions are interrupted */
};

/*
 * Adds the acceptor, which ends when no client is left and none will be accepted. Without
 * `keep_open` of the config it accepts one client, whose failure is that of the run; otherwise a
 * failed session is reported at once and ends no other. False and a fault. The caller closes it in
 * any case.
 */
bool acceptor_open(struct acceptor *acceptor, struct run *run, struct fault *fault);

void acceptor_close(struct acceptor *acceptor);

#endif
