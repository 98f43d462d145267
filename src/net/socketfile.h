/* The file of a bound Unix socket: created only for its owner, and removed if it is still ours. */
#ifndef SOCKCAT_NET_SOCKETFILE_H
#define SOCKCAT_NET_SOCKETFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "net/endpoint.h"

struct socketfile {
	char *path; /* owned; NULL: there is no file */
	dev_t device;
	ino_t inode;
};

/*
 * Binds a Unix socket, with mode 0600. A socket file whose owner has gone is replaced; nothing else
 * is ever touched. Abstract names have no file. False with errno: EEXIST if the path is not a
 * socket, EADDRINUSE if its owner lives.
 */
bool socketfile_bind(struct socketfile *file, int fd, const struct address *address);

/* From here on the file is another's. */
void socketfile_leave(struct socketfile *file);

/* Removes the file, if it is still the one that was made. To be called while the socket is open, as
 * its inode cannot be another's so long. Also good on a zeroed struct. */
void socketfile_remove(struct socketfile *file);

#endif
