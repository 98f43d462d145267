/* Emptying a directory; see leftovers.h. */
#include "archive/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/names.h"
#include "sys/sys.h"

#define LEFTOVERS_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Opens a directory; one of a complete extraction may have permissions that do not allow that. */
static int
leftovers_open(int directory, const char *name)
{
	int fd = openat(directory, name, LEFTOVERS_DIRECTORY);
	if (fd == -1 && errno == EACCES && fchmodat(directory, name, 0700, 0) == 0)
		fd = openat(directory, name, LEFTOVERS_DIRECTORY);
	return fd;
}

static bool
leftovers_remove_entry(int directory, const struct names_entry *entry)
{
	/* EISDIR, or EPERM (POSIX): it is a directory. */
	if (unlinkat(directory, entry->name, 0) == 0)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return false;
	int fd = leftovers_open(directory, entry->name);
	bool good = fd != -1 && fchmod(fd, 0700) == 0 && leftovers_remove(fd);
	int error = errno;
	(void)sys_close(&fd);
	errno = error;
	return good && unlinkat(directory, entry->name, AT_REMOVEDIR) == 0;
}

bool
leftovers_remove(int directory)
{
	struct names names;
	bool good = names_read(&names, directory);
	for (size_t i = 0; good && i < names.count; i++)
		good = leftovers_remove_entry(directory, &names.list[i]);
	int error = errno;
	names_close(&names);
	errno = error;
	return good;
}
