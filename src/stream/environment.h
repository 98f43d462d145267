/* The environment of a program that is run for a connection: ours, or little of it, and what it can
 * know of the connection. */
#ifndef SOCKCAT_STREAM_ENVIRONMENT_H
#define SOCKCAT_STREAM_ENVIRONMENT_H

#include <stdbool.h>

#include "net/endpoint.h"
#include "sys/sys.h"

/*
 * Ours with SOCKCAT_PROTO, SOCKCAT_REMOTE_ADDR, SOCKCAT_REMOTE_PORT, SOCKCAT_LOCAL_ADDR,
 * SOCKCAT_LOCAL_PORT, SOCKCAT_PEER_UID, SOCKCAT_PEER_GID, SOCKCAT_PEER_PID and the same with NCAT_.
 * Addresses are numeric, and only those that are have any: the name of a Unix socket is the peer's
 * to choose. What was inherited under these names is left out; with `clear`, so is all but where
 * things are, who runs them, language, time zone and terminal. NULL if there is no memory.
 */
char **environment_make(char *const *inherited, bool clear, const char *protocol,
	const struct address *own, const struct address *peer, const struct sys_credentials *from);

/* Frees it; also good on NULL. */
void environment_free(char **environment);

#endif
