/* The users of a proxy server and their passwords. */
#ifndef SOCKCAT_NET_PROXY_USERS_H
#define SOCKCAT_NET_PROXY_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

struct proxy_user {
	const char *name, *password; /* not owned; 1 to 255 and 0 to 255 bytes */
};

/* Initially zeroed. */
struct proxy_users {
	char *text;              /* owned: what the names point into; NULL: nothing */
	struct proxy_user *list; /* owned */
	size_t count;
};

/* Reads a file (secret_file.h). Status 3, 26 or 27; 3 also without any user. */
bool proxy_users_read(struct proxy_users *users, const char *path, struct fault *fault);

/* Whether there is such a user with this password. The time depends on neither but their lengths.
 */
bool proxy_users_match(const struct proxy_users *users, const void *name, size_t name_length,
	const void *password, size_t password_length);

void proxy_users_close(struct proxy_users *users);

#endif
