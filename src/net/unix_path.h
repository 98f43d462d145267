/* The file of a bound Unix socket: created with its permissions, and removed unless it was
 * replaced. */
#ifndef SOCKCAT_NET_UNIX_PATH_H
#define SOCKCAT_NET_UNIX_PATH_H

#include "net/endpoint.h"
#include "net/permissions.h"

struct unix_path {
	char *path; /* owned; NULL: no file */
	dev_t device;
	ino_t inode;
};

/*
 * Binds a Unix socket. Replaces a stale socket file, but no other file. Abstract names have no
 * file. False with errno: EEXIST if the path is not a socket, EADDRINUSE if the socket is in use.
 * If there is a group the file has no permissions until unix_path_permit; otherwise it is created
 * with the mode.
 */
bool unix_path_bind(struct unix_path *file, int fd, const struct address *address,
	const struct permissions *permissions);

/* Sets the group, if there is one, and then the mode of the file that was bound. */
bool unix_path_permit(const struct unix_path *file, const struct permissions *permissions);

/* Gives up the ownership of the file without removing it. */
void unix_path_leave(struct unix_path *file);

/* Removes the file unless it was replaced. Call it while the socket is open: until then its inode
 * number cannot be reused. A zeroed struct is allowed. */
void unix_path_remove(struct unix_path *file);

/* The cause of an error of connect(2) for messages: it is ECONNREFUSED, too, for a path that is no
 * socket. */
const char *unix_path_cause(const struct address *to, int error);

#endif
