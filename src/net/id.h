/* Users and groups, by name or number. Digits are always a number, even if they are a name, too. */
#ifndef SOCKCAT_NET_ID_H
#define SOCKCAT_NET_ID_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

/* No user and no group has these numbers (setreuid(2), chown(2)). */
#define ID_NO_USER ((uid_t)-1)
#define ID_NO_GROUP ((gid_t)-1)

/* False and status 3; `option`: for the message. */
bool id_find_user(const char *option, const char *text, uid_t *user, struct fault *fault);
bool id_find_group(const char *option, const char *text, gid_t *group, struct fault *fault);

/* Whether the group is the user's own: it has the user's name, and no other member (the scheme of
 * user private groups, with which many systems use the umask 002). */
bool id_is_private(gid_t group, uid_t user);

#endif
