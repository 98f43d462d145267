/* Files of archives; see sys.h. */
#include "sys/sys.h"

#include <errno.h>
#include <unistd.h>

bool
sys_confine(int directory, bool empties)
{
	(void)directory, (void)empties;
	errno = ENOSYS;
	return false;
}

bool
sys_can_sync_all(void)
{
	return false;
}

bool
sys_sync_all(int directory)
{
	return fsync(directory) == 0;
}

bool
sys_has_plain_modes(int directory)
{
	(void)directory;
	return false;
}

mode_t
sys_entry_type(const struct dirent *entry)
{
	(void)entry;
	return 0;
}

void
sys_next_data(int fd, off_t from, off_t end, off_t *start, off_t *stop)
{
	(void)fd;
	*start = from;
	*stop = end;
}

ssize_t
sys_list_attributes(int fd, char *names, size_t size)
{
	(void)fd, (void)names, (void)size;
	errno = ENOTSUP;
	return -1;
}

ssize_t
sys_get_attribute(int fd, const char *name, void *value, size_t size)
{
	(void)fd, (void)name, (void)value, (void)size;
	errno = ENOTSUP;
	return -1;
}

bool
sys_set_attribute(int fd, const char *name, const void *value, size_t size)
{
	(void)fd, (void)name, (void)value, (void)size;
	errno = ENOTSUP;
	return false;
}
