/* The file of a bound Unix socket; see socketfile.h. */
#include "net/socketfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sys/sys.h"

/* The path in the address, NULL with errno 0 if it has none. To be freed. */
static char *
socketfile_path(const struct address *address)
{
	const struct sockaddr_un *name = (const struct sockaddr_un *)&address->storage;
	errno = 0;
	if (address->length <= offsetof(struct sockaddr_un, sun_path) || name->sun_path[0] == '\0')
		return NULL;
	return strndup(name->sun_path, sizeof name->sun_path);
}

bool
socketfile_bind(struct socketfile *file, int fd, const struct address *address)
{
	const struct sockaddr *name = (const struct sockaddr *)&address->storage;
	char *path = socketfile_path(address);
	if (path == NULL)
		return errno == 0 && bind(fd, name, address->length) == 0;

	struct stat status;
	mode_t mask = umask(0177);
	bool bound = bind(fd, name, address->length) == 0;
	if (!bound && errno == EADDRINUSE && sys_remove_dead_socket(path))
		bound = bind(fd, name, address->length) == 0;
	int error = errno;
	(void)umask(mask);
	/* What lies there now may be another's already, that was swapped in: it is never touched.
	 */
	if (bound && sys_look_at_socket(path, &status))
		*file = (struct socketfile){ path, status.st_dev, status.st_ino };
	else
		free(path);
	errno = error;
	return bound;
}

void
socketfile_remove(struct socketfile *file)
{
	if (file->path != NULL)
		(void)sys_remove_same(file->path, file->device, file->inode);
	free(file->path);
	*file = (struct socketfile){ .path = NULL };
}

void
socketfile_leave(struct socketfile *file)
{
	free(file->path);
	*file = (struct socketfile){ .path = NULL };
}
