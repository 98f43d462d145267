/*
 * Inherited sockets: fd://N, those passed by a service manager (sd_listen_fds(3)), and standard
 * input as with inetd(8).
 */
#ifndef SOCKCAT_CLI_LISTEN_FDS_H
#define SOCKCAT_CLI_LISTEN_FDS_H

#include "base/fault.h"
#include "cli/operands.h"
#include "cli/options.h"
#include "engine/config.h"

/* The environment variables of a service manager, not owned. The descriptors begin with 3. */
struct listen_fds {
	const char *count; /* LISTEN_FDS, not validated; NULL: no descriptors for this process */
	const char *names; /* LISTEN_FDNAMES, separated by ':'; NULL: none */
};

/* Reads the environment. */
void listen_fds_look(struct listen_fds *passed);

/*
 * Sets the inherited sockets and their transport in the config if the operands name any; the
 * options of their transport are implied. Status 3, or 101 for passed sockets to listen on.
 */
bool listen_fds_config(struct config *config, struct options *options,
	const struct operands *operands, const struct listen_fds *passed, struct fault *fault);

/*
 * Called when the rest of the config is complete. Removes the service manager's variables from the
 * environment, so that programs do not use them, and moves a socket that is standard input to
 * another descriptor. Status 2 if the config uses standard input, or 3 or 27.
 */
bool listen_fds_settle(struct config *config, struct fault *fault);

#endif
