/* Files and Unix sockets on Linux; see sys.h. */
#define _GNU_SOURCE
#include "sys/call.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* musl 1.2.3 has neither the function renameat2 nor its flags. */
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1u << 0)
#endif

/* Attempts to find an unused private name. */
#define SYS_NAMES 100

/* rename(2) that fails with EEXIST where rename would replace a file. */
static bool
sys_rename_at(int directory, const char *from, const char *to)
{
#ifdef SYS_renameat2
	return syscall(SYS_renameat2, directory, from, directory, to, RENAME_NOREPLACE) == 0;
#else
	(void)directory, (void)from, (void)to;
	errno = ENOSYS;
	return false;
#endif
}

int
sys_open_directory(const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY);
	/* It may not be listed. */
	return fd == -1 && errno == EACCES ? sys_open(path, O_PATH | O_DIRECTORY) : fd;
}

/* NFS, for example, has no such rename (EINVAL). */
bool
sys_rename_new(int directory, const char *from, const char *to)
{
	return sys_rename_at(directory, from, to) ||
		((errno == EINVAL || errno == ENOSYS) && sys_link_new(directory, from, to));
}

/*
 * Renames the file within its directory to a name that no other user can predict, and so create
 * first in a world-writable directory. Returns the name, which the caller frees; NULL with errno:
 * EINVAL or ENOSYS if the file system does not support RENAME_NOREPLACE.
 */
static char *
sys_take_away(const char *path)
{
	size_t size = strlen(path) + sizeof ".sockcat-" + 16;
	char *name = malloc(size);
	bool moved = false;
	int error = name != NULL ? EEXIST : ENOMEM;
	for (unsigned tries = 0; !moved && error == EEXIST && tries < SYS_NAMES; tries++) {
		/* Without random bytes, early in the boot, the name is only unique. */
		uint64_t number = (uint64_t)getpid() + tries;
		(void)sys_random(&number, sizeof number);
		(void)snprintf(name, size, "%s.sockcat-%016" PRIx64, path, number);
		moved = sys_rename_at(AT_FDCWD, path, name);
		error = moved ? 0 : errno;
	}
	if (moved)
		return name;
	free(name);
	/* The caller would take EEXIST for a statement about `path`. */
	errno = error == EEXIST ? EBUSY : error;
	return NULL;
}

bool
sys_remove_same(const char *path, dev_t device, ino_t inode)
{
	/*
	 * lstat(path) followed by unlink(path) could remove a file created in between. So rename
	 * the file to a private name first and check it there; rename another file back, unless the
	 * path exists again.
	 */
	if (!sys_is_same(path, device, inode))
		return false;
	char *private = sys_take_away(path);
	/* The file system does not support it: accept the race. */
	if (private == NULL)
		return (errno == EINVAL || errno == ENOSYS) && unlink(path) == 0;
	bool same = sys_is_same(private, device, inode);
	bool removed = same && unlink(private) == 0;
	int error = same ? errno : ESTALE;
	if (!removed)
		(void)sys_rename_at(AT_FDCWD, private, path);
	free(private);
	errno = error;
	return removed;
}

/* sys_is_dead_socket for the socket whose file is `held` (O_PATH). */
static bool
sys_is_held_dead(int held)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", held);
	return sys_is_dead_socket(&address);
}

bool
sys_look_at_socket(const char *path, struct stat *status)
{
	int held = sys_open(path, O_PATH | O_NOFOLLOW);
	bool good = held != -1 && fstat(held, status) == 0 && S_ISSOCK(status->st_mode) &&
		!sys_is_held_dead(held);
	(void)sys_close(&held);
	return good;
}

bool
sys_set_access(const char *path, dev_t device, ino_t inode, mode_t mode, gid_t group)
{
	char name[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
	struct stat status;
	int held = sys_open(path, O_PATH | O_NOFOLLOW);
	bool done = held != -1 && fstat(held, &status) == 0;
	if (done && (status.st_dev != device || status.st_ino != inode)) {
		errno = ESTALE;
		done = false;
	}
	/* fchmod(2) rejects O_PATH descriptors. */
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", held);
	done = done && fchownat(held, "", (uid_t)-1, group, AT_EMPTY_PATH) == 0 &&
		chmod(name, mode) == 0;
	int error = errno;
	(void)sys_close(&held);
	errno = error;
	return done;
}

bool
sys_remove_dead_socket(const char *path)
{
	/* An open inode keeps its number, so a new socket cannot be mistaken for it. */
	int held = sys_open(path, O_PATH | O_NOFOLLOW);
	if (held == -1)
		return false;
	struct stat status;
	bool removed = false;
	if (fstat(held, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			errno = EEXIST;
		else if (sys_is_held_dead(held))
			removed = sys_remove_same(path, status.st_dev, status.st_ino);
	}
	/* ESTALE: another file has taken the path. */
	int error = errno == ESTALE ? EADDRINUSE : errno;
	(void)sys_close(&held);
	errno = error;
	return removed;
}
