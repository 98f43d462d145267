/* A file that is written beside its final name; see partial.h. */
#include "stream/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

#define PARTIAL_PREFIX "."
#define PARTIAL_SUFFIX ".part"
#define PARTIAL_ADDED (sizeof PARTIAL_PREFIX + sizeof PARTIAL_SUFFIX - 2)

/* What replaces the end of a name that would be too long: '-' and 16 hexadecimal digits. */
#define PARTIAL_DIGITS 16

/* How often a part is opened that other processes replace meanwhile. */
#define PARTIAL_TRIES 100

/* Do not wait for the writer of a FIFO, nor become the owner of a terminal. */
#define PARTIAL_FLAGS (O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static const char *
partial_name(const struct partial *partial)
{
	return partial->path + partial->base;
}

static const char *
partial_part(const struct partial *partial)
{
	return partial->part_path + partial->base;
}

/* FNV-1a (RFC 9923): the same name gives the same part in a later run. */
static uint64_t
partial_hash(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return hash;
}

/* Sets the name of the part, shortened to `max` bytes. */
static bool
partial_name_part(struct partial *partial, size_t max)
{
	const char *name = partial_name(partial);
	size_t length = strlen(name);
	char rest[1 + PARTIAL_DIGITS + 1] = "";
	errno = ENAMETOOLONG;
	if (length > max || max < PARTIAL_ADDED + sizeof rest)
		return false;
	if (length > max - PARTIAL_ADDED) {
		(void)snprintf(
			rest, sizeof rest, "-%0*" PRIx64, PARTIAL_DIGITS, partial_hash(name));
		length = max - PARTIAL_ADDED - strlen(rest);
		/* Do not cut a character of UTF-8. */
		while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
			length--;
	}
	size_t size = partial->base + length + PARTIAL_ADDED + sizeof rest;
	partial->part_path = malloc(size);
	if (partial->part_path != NULL)
		(void)snprintf(partial->part_path, size,
			"%.*s" PARTIAL_PREFIX "%.*s%s" PARTIAL_SUFFIX, (int)partial->base,
			partial->path, (int)length, name, rest);
	return partial->part_path != NULL;
}

/* Sets the path; one of INT_MAX bytes or more could not be opened. */
static bool
partial_set_path(struct partial *partial, const char *directory, const char *path)
{
	size_t before = directory != NULL ? strlen(directory) + 1 : 0, length = strlen(path);
	errno = ENAMETOOLONG;
	if (before > INT_MAX / 4 || length > INT_MAX / 4)
		return false;
	partial->path = malloc(before + length + 1);
	if (partial->path == NULL)
		return false;
	(void)snprintf(partial->path, before + length + 1, "%s%s%s",
		directory != NULL ? directory : "", directory != NULL ? "/" : "", path);
	const char *slash = strrchr(partial->path, '/');
	partial->base = slash != NULL ? (size_t)(slash - partial->path) + 1 : 0;
	/* With a directory the path is one name. */
	errno = EINVAL;
	return directory == NULL || partial->base == before;
}

/* Opens the directory and sets the name of the part. */
static bool
partial_enter(struct partial *partial)
{
	struct stat status;
	const char *name = partial_name(partial);
	errno = EISDIR;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	char *folder = partial->base > 0 ? strndup(partial->path, partial->base) : strdup(".");
	if (folder == NULL)
		return false;
	partial->directory = sys_open_directory(folder);
	int error = errno;
	free(folder);
	errno = error;
	if (partial->directory == -1)
		return false;
	long max = fpathconf(partial->directory, _PC_NAME_MAX);
	if (!partial_name_part(partial, max > 0 ? (size_t)max : NAME_MAX))
		return false;
	/* Directories cannot be replaced, devices and the like must not; any other error of the
	 * name is found now, too. */
	if (fstatat(partial->directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT;
	errno = S_ISDIR(status.st_mode) && !partial->tree ? EISDIR : EEXIST;
	return !partial->tree && (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode));
}

/* Whether the descriptor is still what the name of the part means. */
static bool
partial_is_named(const struct partial *partial)
{
	struct stat own, named;
	return fstat(partial->fd, &own) == 0 &&
		fstatat(partial->directory, partial_part(partial), &named, AT_SYMLINK_NOFOLLOW) ==
		0 &&
		own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

/* The part cannot be opened. A directory and a file do not replace each other. */
static bool
partial_refuse(const struct partial *partial, struct fault *fault)
{
	int error = errno;
	(void)fault_set(fault, STATUS_OUTPUT, error, "open %s", partial->part_path);
	if (error == EISDIR || error == ENOTDIR)
		fault_add(fault, "; remove it");
	return false;
}

/* Opens a part that exists, which another process may replace with anything. */
static bool
partial_reopen(struct partial *partial, struct fault *fault)
{
	struct stat status;
	partial->fd = openat(partial->directory, partial_part(partial), PARTIAL_FLAGS);
	if (partial->fd == -1)
		return errno == ENOENT || partial_refuse(partial, fault);
	if (fstat(partial->fd, &status) == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "open %s", partial->part_path);
	if (!S_ISREG(status.st_mode) || status.st_nlink > 1 || status.st_uid != geteuid())
		return fault_set(fault, STATUS_OUTPUT, 0,
			"open %s: not a regular file of this user with one name; remove it",
			partial->part_path);
	return true;
}

/* Locks what has been opened; *taken: it is this run's. */
static bool
partial_lock(struct partial *partial, bool *taken, struct fault *fault)
{
	*taken = false;
	if (flock(partial->fd, LOCK_EX | LOCK_NB) == -1) {
		partial->busy = sys_would_block(errno);
		if (partial->busy)
			return fault_set(fault, STATUS_OUTPUT, 0,
				"open %s: another process is writing it", partial->part_path);
		return fault_set(fault, STATUS_OUTPUT, errno, "lock %s", partial->part_path);
	}
	/* The last owner of the lock may have renamed or removed it. */
	*taken = partial_is_named(partial);
	return true;
}

bool
partial_remove_digests(const struct partial *partial, struct fault *fault)
{
	const char *part = partial_part(partial);
	size_t size = strlen(part) + sizeof PARTIAL_DIGESTS;
	char *name = malloc(size);
	if (name == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "open %s", partial->part_path);
	(void)snprintf(name, size, "%s" PARTIAL_DIGESTS, part);
	/* ENAMETOOLONG: there cannot be any. */
	bool good = unlinkat(partial->directory, name, 0) == 0 || errno == ENOENT ||
		errno == ENAMETOOLONG ||
		fault_set(fault, STATUS_OUTPUT, errno, "remove %s" PARTIAL_DIGESTS,
			partial->part_path);
	free(name);
	return good;
}

/* Takes over the part of an earlier run. */
static bool
partial_adopt(struct partial *partial, bool resume, struct fault *fault)
{
	struct stat status;
	partial->made = !resume;
	if ((resume || ftruncate(partial->fd, 0) == 0) && fchmod(partial->fd, 0600) == 0 &&
		fstat(partial->fd, &status) == 0) {
		partial->size = (uint64_t)status.st_size;
		return true;
	}
	return fault_set(fault, STATUS_OUTPUT, errno, "open %s", partial->part_path);
}

static bool
partial_take(struct partial *partial, bool resume, struct fault *fault)
{
	bool created, taken = false;
	for (int i = 0; i < PARTIAL_TRIES && !taken; i++) {
		(void)sys_close(&partial->fd);
		partial->fd = openat(partial->directory, partial_part(partial),
			PARTIAL_FLAGS | O_CREAT | O_EXCL, 0600);
		created = partial->fd != -1;
		if (!created && errno != EEXIST)
			return fault_set(
				fault, STATUS_OUTPUT, errno, "create %s", partial->part_path);
		if (!created && !partial_reopen(partial, fault))
			return false;
		if (partial->fd != -1 && !partial_lock(partial, &taken, fault))
			return false;
		if (taken)
			partial->made = created;
	}
	if (!taken)
		return fault_set(fault, STATUS_OUTPUT, EBUSY, "open %s", partial->part_path);
	if ((partial->made || !resume) && !partial_remove_digests(partial, fault))
		return false;
	return partial->made || partial_adopt(partial, resume, fault);
}

/* Opens or makes the part of a directory. */
static bool
partial_take_tree(struct partial *partial, struct fault *fault)
{
	struct stat status;
	const char *part = partial_part(partial);
	bool taken = false;
	for (int i = 0; i < PARTIAL_TRIES && !taken; i++) {
		(void)sys_close(&partial->fd);
		if (mkdirat(partial->directory, part, 0700) == -1 && errno != EEXIST)
			return fault_set(
				fault, STATUS_OUTPUT, errno, "create %s", partial->part_path);
		partial->fd = openat(
			partial->directory, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (partial->fd == -1 && errno == ENOENT)
			continue;
		if (partial->fd == -1 || fstat(partial->fd, &status) == -1)
			return partial_refuse(partial, fault);
		if (status.st_uid != geteuid())
			return fault_set(fault, STATUS_OUTPUT, 0,
				"open %s: not a directory of this user; remove it",
				partial->part_path);
		if (!partial_lock(partial, &taken, fault))
			return false;
	}
	if (!taken)
		return fault_set(fault, STATUS_OUTPUT, EBUSY, "open %s", partial->part_path);
	return fchmod(partial->fd, 0700) == 0 ||
		fault_set(fault, STATUS_OUTPUT, errno, "open %s", partial->part_path);
}

/* Opens the part of the path. */
static bool
partial_begin(struct partial *partial, const char *directory, const char *path, bool resume,
	struct fault *fault)
{
	bool entered = partial_set_path(partial, directory, path) && partial_enter(partial);
	if (!entered)
		(void)fault_set(fault, errno == ENOMEM ? STATUS_MEMORY : STATUS_OUTPUT, errno,
			"%s %s", partial->tree ? "create" : "open",
			partial->path != NULL ? partial->path : path);
	if (entered &&
		(partial->tree ? partial_take_tree(partial, fault)
			       : partial_take(partial, resume, fault)))
		return true;
	bool busy = partial->busy;
	partial_close(partial);
	partial->busy = busy;
	return false;
}

bool
partial_open_tree(
	struct partial *partial, const char *directory, const char *name, struct fault *fault)
{
	*partial = PARTIAL_NONE;
	partial->tree = true;
	return partial_begin(partial, directory, name, false, fault);
}

bool
partial_open(struct partial *partial, const char *directory, const char *path, bool resume,
	struct fault *fault)
{
	*partial = PARTIAL_NONE;
	return partial_begin(partial, directory, path, resume, fault);
}

bool
partial_open_stored(
	struct partial *partial, int directory, const char *name, int fd, struct fault *fault)
{
	char *path = strdup(name), *part_path = strdup(name);
	*partial = PARTIAL_NONE;
	if (path == NULL || part_path == NULL) {
		free(path);
		free(part_path);
		(void)sys_close(&fd);
		(void)sys_close(&directory);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "write %s", name);
	}
	partial->fd = fd;
	partial->directory = directory;
	partial->path = path;
	partial->part_path = part_path;
	return true;
}

bool
partial_check(const char *directory, const char *path, bool replace, struct partial_found *found,
	struct fault *fault)
{
	struct stat status;
	struct partial partial;
	/* A part of an earlier run is not touched. */
	bool opened = partial_open(&partial, directory, path, true, fault);
	if (found != NULL)
		*found = (struct partial_found){ partial.size, partial.busy };
	if (!opened)
		return false;
	bool exists = fstatat(partial.directory, partial_name(&partial), &status,
			      AT_SYMLINK_NOFOLLOW) == 0;
	if (exists && !replace)
		(void)fault_set(fault, STATUS_OUTPUT, EEXIST, "create %s", partial.path);
	partial_close(&partial);
	return !fault_is_set(fault);
}

enum io
partial_commit(struct partial *partial, const struct partial_result *result, struct fault *fault)
{
	if (partial->job == NULL) {
		partial->job = partial_job_start(partial->fd, partial->directory,
			partial_part(partial), partial_name(partial), result, &partial->done_fd);
		if (partial->job == NULL)
			return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "rename %s to %s",
				partial->part_path, partial->path);
		partial->fd = partial->directory = -1;
	}
	enum io done = partial_job_end(partial->job, partial->part_path, partial->path, fault);
	if (done != IO_AGAIN) {
		partial->job = NULL;
		(void)sys_close(&partial->done_fd);
	}
	return done;
}

bool
partial_abandon(struct partial *partial)
{
	bool kept = partial->job == NULL || partial_job_abandon(partial->job);
	partial->job = NULL;
	return kept;
}

void
partial_close(struct partial *partial)
{
	struct stat status;
	if (partial->path == NULL)
		return;
	(void)partial_abandon(partial);
	/* Unless it is empty, this fails. */
	if (partial->fd != -1 && partial->tree && partial_is_named(partial))
		(void)unlinkat(partial->directory, partial_part(partial), AT_REMOVEDIR);
	if (partial->fd != -1 && !partial->tree && partial->made &&
		fstat(partial->fd, &status) == 0 && status.st_size == 0 &&
		partial_is_named(partial))
		(void)unlinkat(partial->directory, partial_part(partial), 0);
	(void)sys_close(&partial->fd);
	(void)sys_close(&partial->done_fd);
	(void)sys_close(&partial->directory);
	free(partial->path);
	free(partial->part_path);
	*partial = PARTIAL_NONE;
}
