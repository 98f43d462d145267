/* Lists of user IDs, for clients of a Unix socket. */
#ifndef SOCKCAT_NET_UID_LIST_H
#define SOCKCAT_NET_UID_LIST_H

#include <sys/types.h>

#include "base/fault.h"

struct uid_list {
	uid_t *list; /* owned */
	size_t count;
};

/* Adds the users of a text, names or numbers separated by commas. Status 3 or 27. */
bool uid_list_add(struct uid_list *users, const char *text, struct fault *fault);

bool uid_list_contains(const struct uid_list *users, uid_t user);

/* Frees the list; a zeroed struct is allowed. */
void uid_list_close(struct uid_list *users);

#endif
