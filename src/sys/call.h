/* What the files of this folder share. */
#ifndef SOCKCAT_SYS_CALL_H
#define SOCKCAT_SYS_CALL_H

#include <errno.h>
#include <sys/un.h>

#include "sys/sys.h"

/* Calls again while a signal interrupts the call. */
#define SYS_RESTART(result, call) \
	do \
		(result) = (call); \
	while ((result) == -1 && errno == EINTR)

/* A message of these pieces. */
struct msghdr sys_header(const struct iovec *pieces, int count);

/* Gives a message one control message, in `space` bytes aligned for it (CMSG_SPACE). */
void sys_attach(
	struct msghdr *header, void *space, int level, int type, const void *data, size_t size);

/* Marks the descriptors from `first` on close-on-exec with one call; false: not supported. */
bool sys_close_range_on_exec(unsigned first);

/* Whether no process has the Unix socket open; false also with an error in errno. */
bool sys_is_dead_socket(const struct sockaddr_un *address);

/* Renames by linkat(2) and unlinkat(2). */
bool sys_link_new(int directory, const char *from, const char *to);

/* Whether the path names this file; false with errno: ESTALE if it is another one. */
bool sys_is_same(const char *path, dev_t device, ino_t inode);

#endif
