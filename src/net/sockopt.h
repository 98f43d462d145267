/* Socket options: rows of sockopt.c, named like their command-line option. */
#ifndef SOCKCAT_NET_SOCKOPT_H
#define SOCKCAT_NET_SOCKOPT_H

#include <stdint.h>

#include "base/fault.h"

struct sockopt {
	const char *name; /* of the command-line option, without dashes; not owned */
	const char *text; /* the argument as written, not owned; NULL: none */
	int number;       /* the value, if the option has a number */
};

/* Initially zeroed. */
struct sockopts {
	struct sockopt *list; /* owned */
	size_t count;
};

/* When to set an option: before binding or connecting, on a listening socket, on a connected one.
 */
enum sockopt_when { SOCKOPT_DIALLING = 1, SOCKOPT_LISTENING = 2, SOCKOPT_CONNECTED = 4 };

/* Whether the command-line option is a socket option. */
bool sockopt_exists(const char *name);

/*
 * Adds an option with the value that the command line parsed (flags: 1). False with a fault: status
 * 3 for an invalid text, 4 if the system does not support the option, 27, or 45 for a missing
 * interface.
 */
bool sockopt_add(struct sockopts *options, const char *name, const char *text, int64_t value,
	struct fault *fault);

/*
 * Sets the options for `when`, and reports them with -v. `all`: an option that does not apply to
 * the socket's family is a fault; otherwise it is skipped. Status 45 for an address or interface
 * that cannot be used, 4 for any other error.
 */
bool sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault);

/* Frees the list; a zeroed struct is allowed. */
void sockopt_close(struct sockopts *options);

#endif
