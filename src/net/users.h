/* Users of this machine, by whom a Unix socket may be connected to. */
#ifndef SOCKCAT_NET_USERS_H
#define SOCKCAT_NET_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"

struct users {
	uid_t *list; /* owned */
	size_t count;
};

/* Adds those of a text, names and numbers that commas part; names are looked up now. Status 3, or
 * 27. */
bool users_add(struct users *users, const char *text, struct fault *fault);

bool users_have(const struct users *users, uid_t user);

/* Frees them; also good on a zeroed struct. */
void users_close(struct users *users);

#endif
