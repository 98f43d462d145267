/* The mode and the group of the file of a listening Unix socket. */
#ifndef SOCKCAT_NET_PERMISSIONS_H
#define SOCKCAT_NET_PERMISSIONS_H

#include "base/fault.h"
#include "net/id.h"

struct permissions {
	mode_t mode;
	gid_t group; /* ID_NO_GROUP: the one that the system chooses */
};

/* For the owner only. */
#define PERMISSIONS_OWNER ((struct permissions){ 0600, ID_NO_GROUP })

/*
 * From the arguments of --mode and --group, NULL if not given. The mode is up to four octal digits,
 * at most 0777; with a group only it is 0660. The group is a name or a number; digits are always a
 * number, even if a group has that name. Status 3.
 */
bool permissions_parse(
	struct permissions *permissions, const char *mode, const char *group, struct fault *fault);

#endif
