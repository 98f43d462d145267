/* Emptying a directory; see leftovers.h. */
#include "archive/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

#define LEFTOVERS_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Opens a directory; one of a complete extraction may have permissions that do not allow that. */
static int
leftovers_open(int directory, const char *name)
{
	int fd = openat(directory, name, LEFTOVERS_DIRECTORY);
	if (fd == -1 && errno == EACCES && fchmodat(directory, name, 0700, 0) == 0)
		fd = openat(directory, name, LEFTOVERS_DIRECTORY);
	if (fd != -1 && fchmod(fd, 0700) == -1) {
		int error = errno;
		(void)sys_close(&fd);
		errno = error;
	}
	return fd;
}

static bool leftovers_empty(int fd);

static bool
leftovers_remove_entry(int directory, const char *name)
{
	/* EISDIR, or EPERM (POSIX): it is a directory. */
	if (unlinkat(directory, name, 0) == 0)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return false;
	return leftovers_empty(leftovers_open(directory, name)) &&
		unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

/* Removes the entries while it reads them, as a list of them may need more memory than there is;
 * then it reads the directory again, as entries may have been missed. */
static bool
leftovers_remove_entries(DIR *stream)
{
	const struct dirent *entry;
	bool good = true, removed;
	do {
		removed = false;
		rewinddir(stream);
		while (good && (errno = 0, entry = readdir(stream)) != NULL) {
			const char *name = entry->d_name;
			if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
				continue;
			good = leftovers_remove_entry(dirfd(stream), name);
			removed = true;
		}
		good = good && errno == 0;
	} while (good && removed);
	return good;
}

/* Empties a directory and closes it; -1: it could not be opened. */
static bool
leftovers_empty(int fd)
{
	DIR *stream = fd != -1 ? fdopendir(fd) : NULL;
	bool good = stream != NULL && leftovers_remove_entries(stream);
	int error = errno;
	if (stream != NULL)
		(void)closedir(stream);
	else
		(void)sys_close(&fd);
	errno = error;
	return good;
}

bool
leftovers_remove(int directory)
{
	return leftovers_empty(sys_duplicate(directory));
}
