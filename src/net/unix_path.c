/* The file of a bound Unix socket; see unix_path.h. */
#include "net/unix_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/sys.h"

/* A copy of the path in the address; NULL with errno 0: it has none. */
static char *
unix_path_path(const struct address *address)
{
	const char *path = address->local.sun_path;
	errno = 0;
	if (address->length <= offsetof(struct sockaddr_un, sun_path) || path[0] == '\0')
		return NULL;
	return strndup(path, sizeof address->local.sun_path);
}

bool
unix_path_bind(struct unix_path *file, int fd, const struct address *address,
	const struct permissions *permissions)
{
	char *path = unix_path_path(address);
	if (path == NULL)
		return errno == 0 && bind(fd, &address->any, address->length) == 0;

	struct stat status;
	/* The socket's own mode is 0777. Until the group is set no client can connect. */
	mode_t mode = permissions->group == ID_NO_GROUP ? permissions->mode : 0;
	mode_t mask = umask(0777 & ~mode);
	bool bound = bind(fd, &address->any, address->length) == 0;
	/* ENOENT: another process has removed the stale socket first. */
	if (!bound && errno == EADDRINUSE && (sys_remove_dead_socket(path) || errno == ENOENT))
		bound = bind(fd, &address->any, address->length) == 0;
	int error = errno;
	(void)umask(mask);
	/* Another file may have replaced the socket; it is then not removed later. */
	if (bound && sys_look_at_socket(path, &status))
		*file = (struct unix_path){ path, status.st_dev, status.st_ino };
	else
		free(path);
	errno = error;
	return bound;
}

bool
unix_path_permit(const struct unix_path *file, const struct permissions *permissions)
{
	if (permissions->group == ID_NO_GROUP)
		return true;
	if (file->path != NULL)
		return sys_set_access(file->path, file->device, file->inode, permissions->mode,
			permissions->group);
	errno = ESTALE;
	return false;
}

void
unix_path_remove(struct unix_path *file)
{
	if (file->path != NULL)
		(void)sys_remove_same(file->path, file->device, file->inode);
	unix_path_leave(file);
}

void
unix_path_leave(struct unix_path *file)
{
	free(file->path);
	*file = (struct unix_path){ .path = NULL };
}

const char *
unix_path_cause(const struct address *to, int error)
{
	const char *path = to->local.sun_path;
	struct stat status;
	if (error != ECONNREFUSED || to->any.sa_family != AF_UNIX || path[0] == '\0' ||
		stat(path, &status) == -1 || S_ISSOCK(status.st_mode))
		return strerror(error);
	return S_ISDIR(status.st_mode) ? strerror(EISDIR) : "Not a socket";
}
