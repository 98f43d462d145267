/*
 * The users and passwords of proxies: lines "USER:PASSWORD". Empty lines, and those that begin with
 * '#', are skipped.
 *
 * A proxy with a user has the password of the first line of that user, and so have others of the
 * chain with this user. Only a proxy that is the only one may have the user of the first line: no
 * proxy of a chain is sent the password of another user.
 */
#ifndef SOCKCAT_NET_PROXY_LOGIN_H
#define SOCKCAT_NET_PROXY_LOGIN_H

#include "base/fault.h"
#include "net/proxy.h"

/* A text that is cut into lines. */
struct proxy_login_lines {
	char *next;         /* what is left; NULL: nothing */
	const char *source; /* for messages */
	size_t number;      /* of the current line */
};

/* Cuts the next user and password off. False at the end, and with a fault for a malformed line:
 * status 3. */
bool proxy_login_line(struct proxy_login_lines *lines, const char **user, const char **password,
	struct fault *fault);

/* Sets the users and passwords of proxies that have no password, from a text that is cut into
 * pieces and has to outlive the chain. `source`: for messages. Status 3. */
bool proxy_login_set(
	struct proxy_chain *chain, char *text, const char *source, struct fault *fault);

#endif
