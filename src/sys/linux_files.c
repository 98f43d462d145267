/* Files of archives; see sys.h. */
#define _GNU_SOURCE
#include "sys/call.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* landlock(7). The kernel's header may be older than the kernel: its numbers are stated here, which
 * are the same on all architectures that have the calls. */
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD 445
#define LANDLOCK_RESTRICT 446
#define LANDLOCK_VERSION 1U        /* flag: return the version of the interface */
#define LANDLOCK_PATH_BENEATH 1    /* a rule for all files below a directory */
#define LANDLOCK_NET UINT64_C(3)   /* bind and connect of TCP, since version 4 */
#define LANDLOCK_SCOPE UINT64_C(3) /* abstract Unix sockets and signals, since version 6 */

/* Rights to files, as bits: what is handled, and what is allowed below the directory. */
#define LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)
#define LANDLOCK_READ_DIR (UINT64_C(1) << 3)
#define LANDLOCK_REMOVE_DIR (UINT64_C(1) << 4)
#define LANDLOCK_REMOVE_FILE (UINT64_C(1) << 5)
#define LANDLOCK_MAKE_DIR (UINT64_C(1) << 7)
#define LANDLOCK_MAKE_REG (UINT64_C(1) << 8)
#define LANDLOCK_MAKE_SYM (UINT64_C(1) << 12)
#define LANDLOCK_REFER (UINT64_C(1) << 13)
#define LANDLOCK_TRUNCATE (UINT64_C(1) << 14)

struct landlock_rules {
	uint64_t files, net, scope;
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t directory;
} __attribute__((packed));

/* The number of rights to files that each version of the interface knows. */
static uint64_t
sys_landlock_rights(long version)
{
	unsigned count = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
	return (UINT64_C(1) << count) - 1;
}

/* The size of the rules that each version takes. */
static size_t
sys_landlock_size(long version)
{
	return version >= 6    ? sizeof(struct landlock_rules)
		: version >= 4 ? 2 * sizeof(uint64_t)
			       : sizeof(uint64_t);
}

bool
sys_confine(int directory, bool empties)
{
	long version = syscall(LANDLOCK_CREATE, NULL, (size_t)0, LANDLOCK_VERSION);
	if (version < 1)
		return false;
	struct landlock_rules rules = {
		.files = sys_landlock_rights(version), .net = LANDLOCK_NET, .scope = LANDLOCK_SCOPE
	};
	struct landlock_beneath beneath = {
		.allowed = rules.files &
			(LANDLOCK_WRITE_FILE | LANDLOCK_READ_DIR | LANDLOCK_REMOVE_FILE |
				LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG | LANDLOCK_MAKE_SYM |
				LANDLOCK_REFER | LANDLOCK_TRUNCATE |
				(empties ? LANDLOCK_REMOVE_DIR : 0)),
		.directory = directory,
	};
	int set = (int)syscall(LANDLOCK_CREATE, &rules, sys_landlock_size(version), 0U);
	if (set == -1)
		return false;
	bool good = syscall(LANDLOCK_ADD, set, LANDLOCK_PATH_BENEATH, &beneath, 0U) == 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0 &&
		syscall(LANDLOCK_RESTRICT, set, 0U) == 0;
	int error = errno;
	(void)sys_close(&set);
	errno = error;
	return good;
}

bool
sys_can_sync_all(void)
{
	return true;
}

bool
sys_sync_all(int directory)
{
	return syncfs(directory) == 0;
}

bool
sys_has_plain_modes(int directory)
{
	return fgetxattr(directory, "system.posix_acl_default", NULL, 0) == -1 &&
		(errno == ENODATA || errno == ENOTSUP);
}

mode_t
sys_entry_type(const struct dirent *entry)
{
	return (mode_t)DTTOIF((unsigned)entry->d_type);
}

void
sys_next_data(int fd, off_t from, off_t end, off_t *start, off_t *stop)
{
	*start = lseek(fd, from, SEEK_DATA);
	*stop = *start == -1 ? -1 : lseek(fd, *start, SEEK_HOLE);
	if (*start == -1 && errno == ENXIO)
		*start = *stop = end;
	if (*start == -1 || *stop == -1) {
		*start = from;
		*stop = end;
	}
	*start = *start < end ? *start : end;
	*stop = *stop < end ? *stop : end;
}

ssize_t
sys_list_attributes(int fd, char *names, size_t size)
{
	return flistxattr(fd, names, size);
}

ssize_t
sys_get_attribute(int fd, const char *name, void *value, size_t size)
{
	return fgetxattr(fd, name, value, size);
}

bool
sys_set_attribute(int fd, const char *name, const void *value, size_t size)
{
	return fsetxattr(fd, name, value, size, 0) == 0;
}
