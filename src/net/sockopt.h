/* Socket options that the user can set: one row each in sockopt.c, known by the long name of their
 * option on the command line. */
#ifndef SOCKCAT_NET_SOCKOPT_H
#define SOCKCAT_NET_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* What is to be set. */
struct sockopt {
	const char *name; /* without dashes; not owned */
	const char *text; /* the argument as written, not owned; NULL: none */
	int number;       /* what is set, for a kind that is a number */
};

/* Zeroed at first. */
struct sockopts {
	struct sockopt *list; /* owned */
	size_t count;
};

/* When it is set: on a socket before it is bound or connected, on a listening one, on one that has
 * a peer. */
enum sockopt_when { SOCKOPT_DIALLING = 1, SOCKOPT_LISTENING = 2, SOCKOPT_CONNECTED = 4 };

/* Whether there is a row of that name. */
bool sockopt_is_one(const char *name);

/*
 * Adds one; the value as the command line has parsed it (flags: 1). False and a fault: status 3 if
 * the text is not good for it, 4 if this system has no such option, 27, or 45 for an interface that
 * there is not.
 */
bool sockopt_add(struct sockopts *options, const char *name, const char *text, int64_t value,
	struct fault *fault);

/*
 * Sets those whose time it is, and says so with -v. `all`: one that is not for the socket's family
 * is a fault, not passed over. Status 45 for an address or an interface that cannot be used, 4 for
 * whatever else the kernel refuses.
 */
bool sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault);

/* Frees the list; also good on a zeroed struct. */
void sockopt_close(struct sockopts *options);

#endif
