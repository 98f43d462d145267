/* The directory that an archive is extracted to; see tree.h. */
#include "archive/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

#define TREE_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Before the path of a directory in `late`, unaligned. */
struct tree_late {
	struct preserve_values values;
	size_t length; /* of the path, with its NUL */
};

bool
tree_open(struct tree *tree, const char *path, struct fault *fault)
{
	struct stat status;
	tree->mask = umask(0);
	(void)umask(tree->mask);
	tree->parent_fd = -1;
	tree->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->root == -1 || fstat(tree->root, &status) == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "open %s", path);
	tree->device = status.st_dev;
	return true;
}

/* Writes a file or directory to the disk if it is on another file system than the root: the sync of
 * that one at the end (sys_sync_all) does not reach it. EINVAL: it cannot be synchronised. */
static bool
tree_sync(const struct tree *tree, int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 &&
		(status.st_dev == tree->device || fsync(fd) == 0 || errno == EINVAL);
}

static void
tree_leave(struct tree *tree)
{
	if (tree->parent_fd != tree->root)
		(void)sys_close(&tree->parent_fd);
	tree->parent_fd = -1;
	free(tree->parent);
	tree->parent = NULL;
}

void
tree_close(struct tree *tree)
{
	tree_leave(tree);
	(void)sys_close(&tree->root);
	inodes_close(&tree->own);
	free(tree->late);
	tree->late = NULL;
}

/* Fails with the cause for the user: what a symbolic link gives is ENOTDIR or ELOOP. */
static bool
tree_fail(int directory, const char *name, const char *path, int error, struct fault *fault)
{
	struct stat status;
	if ((error == ENOTDIR || error == ELOOP) &&
		fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(status.st_mode))
		return fault_set(fault, STATUS_FRAMING, 0,
			"extract %s: '%s' is a symbolic link, which is not followed", path, name);
	return fault_set(
		fault, error == ENOMEM ? STATUS_MEMORY : STATUS_OUTPUT, error, "extract %s", path);
}

/* Makes a directory and remembers that; one that exists is not changed. */
static bool
tree_make(struct tree *tree, int directory, const char *name, mode_t mode, const char *path,
	struct fault *fault)
{
	struct stat status;
	if (mkdirat(directory, name, mode) == -1)
		return errno == EEXIST || tree_fail(directory, name, path, errno, fault);
	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			tree_sync(tree, directory)
		? inodes_add(&tree->own, &status, fault)
		: tree_fail(directory, name, path, errno, fault);
}

/* Opens the directory of this name, or makes it. -1 and a fault on failure. */
static int
tree_enter(
	struct tree *tree, int directory, const char *name, const char *path, struct fault *fault)
{
	int fd = openat(directory, name, TREE_DIRECTORY);
	if (fd == -1 && errno == ENOENT) {
		if (!tree_make(tree, directory, name, 0777, path, fault))
			return -1;
		fd = openat(directory, name, TREE_DIRECTORY);
	}
	if (fd == -1)
		(void)tree_fail(directory, name, path, errno, fault);
	return fd;
}

/* Opens the directories above the last component of the copy, which is cut into components. */
static bool
tree_descend(struct tree *tree, char *copy, const char *path, struct fault *fault)
{
	int fd = tree->root;
	for (char *name = copy; *name != '\0';) {
		size_t length = strcspn(name, "/");
		bool more = name[length] == '/';
		name[length] = '\0';
		int next = tree_enter(tree, fd, name, path, fault);
		if (more)
			name[length] = '/';
		if (fd != tree->root)
			(void)sys_close(&fd);
		fd = next;
		if (fd == -1)
			return false;
		name += length + more;
	}
	tree->parent_fd = fd;
	return true;
}

/* Opens the directory of a path, making what is missing; *name is the path's last component. Valid
 * until the next call. -1 and a fault on failure. */
static int
tree_parent(struct tree *tree, const char *path, const char **name, struct fault *fault)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);
	*name = slash == NULL ? path : slash + 1;
	if (tree->parent_fd != -1 && tree->parent_length == length &&
		strncmp(tree->parent, path, length) == 0)
		return tree->parent_fd;
	tree_leave(tree);
	tree->parent = malloc(length + 1);
	if (tree->parent == NULL) {
		(void)fault_set(fault, STATUS_MEMORY, 0, "out of memory");
		return -1;
	}
	memcpy(tree->parent, path, length);
	tree->parent[length] = '\0';
	tree->parent_length = length;
	return tree_descend(tree, tree->parent, path, fault) ? tree->parent_fd : -1;
}

/* Remembers the attributes of a directory for the end. */
static bool
tree_remember(struct tree *tree, const char *path, const struct preserve_values *values,
	struct fault *fault)
{
	struct tree_late late = { .values = *values, .length = strlen(path) + 1 };
	size_t more = sizeof late + late.length;
	if (tree->late_capacity - tree->late_size < more) {
		size_t capacity = tree->late_capacity + tree->late_capacity / 2 + more + 1024;
		unsigned char *bigger = realloc(tree->late, capacity);
		if (bigger == NULL)
			return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
		tree->late = bigger;
		tree->late_capacity = capacity;
	}
	/* The record is behind the path, so that the sequence can be read from its end. */
	memcpy(tree->late + tree->late_size, path, late.length);
	memcpy(tree->late + tree->late_size + late.length, &late, sizeof late);
	tree->late_size += more;
	return true;
}

bool
tree_directory(struct tree *tree, const char *path, const struct preserve_values *values,
	struct fault *fault)
{
	const char *name;
	struct stat status;
	int directory = tree_parent(tree, path, &name, fault);
	if (directory == -1 || !tree_make(tree, directory, name, 0700, path, fault))
		return false;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return tree_fail(directory, name, path, errno, fault);
	if (!S_ISDIR(status.st_mode))
		return tree_fail(
			directory, name, path, S_ISLNK(status.st_mode) ? ENOTDIR : EEXIST, fault);
	return !(inodes_have(&tree->own, &status) || tree->replace) ||
		tree_remember(tree, path, values, fault);
}

/* Whether nothing of this name is there, or something that can be replaced. */
static bool
tree_is_free(const struct tree *tree, int directory, const char *name, const char *path,
	struct fault *fault)
{
	struct stat status;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT || tree_fail(directory, name, path, errno, fault);
	if (S_ISDIR(status.st_mode))
		return tree_fail(directory, name, path, EISDIR, fault);
	return tree->replace || tree_fail(directory, name, path, EEXIST, fault);
}

/* The name of a temporary file; other runs may extract into the same directory. */
static void
tree_name(struct tree *tree, struct tree_file *file)
{
	(void)snprintf(file->temporary, sizeof file->temporary, ".sockcat-%ld-%" PRIu64 ".part",
		(long)getpid(), tree->number++);
}

/* Gives a temporary file its final name. */
static bool
tree_publish(const struct tree *tree, const struct tree_file *file)
{
	bool good = tree->replace
		? renameat(file->directory, file->temporary, file->directory, file->name) == 0
		: sys_rename_new(file->directory, file->temporary, file->name);
	int error = errno;
	/* Renaming a link to the same file does nothing. */
	if (!good || tree->replace)
		(void)unlinkat(file->directory, file->temporary, 0);
	errno = error;
	return good && tree_sync(tree, file->directory);
}

bool
tree_symlink(struct tree *tree, const char *path, const char *target, struct fault *fault)
{
	struct tree_file file;
	file.directory = tree_parent(tree, path, &file.name, fault);
	if (file.directory == -1 || !tree_is_free(tree, file.directory, file.name, path, fault))
		return false;
	do
		tree_name(tree, &file);
	while (symlinkat(target, file.directory, file.temporary) == -1 && errno == EEXIST);
	return tree_publish(tree, &file) ||
		tree_fail(file.directory, file.name, path, errno, fault);
}

bool
tree_link(struct tree *tree, const char *path, const char *target, struct fault *fault)
{
	const char *name;
	struct stat status;
	struct tree_file file;
	int directory = tree_parent(tree, target, &name, fault);
	if (directory == -1)
		return false;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1 ||
		!S_ISREG(status.st_mode) || !inodes_have(&tree->own, &status))
		return fault_set(fault, STATUS_FRAMING, 0,
			"extract %s: the target of the hard link, '%s', is no file of this archive",
			path, target);
	int source = sys_duplicate(directory);
	file.directory = source == -1 ? -1 : tree_parent(tree, path, &file.name, fault);
	bool good =
		file.directory != -1 && tree_is_free(tree, file.directory, file.name, path, fault);
	if (good) {
		do
			tree_name(tree, &file);
		while ((good = linkat(source, name, file.directory, file.temporary, 0) == 0) ==
				false &&
			errno == EEXIST);
		good = good && tree_publish(tree, &file);
		if (!good)
			(void)tree_fail(file.directory, file.name, path, errno, fault);
	}
	(void)sys_close(&source);
	return good || fault_set(fault, STATUS_OUTPUT, errno, "extract %s", path);
}

bool
tree_begin(struct tree *tree, struct tree_file *file, const char *path, struct fault *fault)
{
	file->fd = -1;
	file->directory = tree_parent(tree, path, &file->name, fault);
	if (file->directory == -1 || !tree_is_free(tree, file->directory, file->name, path, fault))
		return false;
	do {
		tree_name(tree, file);
		file->fd = openat(file->directory, file->temporary,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (file->fd == -1 && errno == EEXIST);
	return file->fd != -1 || tree_fail(file->directory, file->temporary, path, errno, fault);
}

void
tree_abandon(struct tree_file *file)
{
	(void)unlinkat(file->directory, file->temporary, 0);
	(void)sys_close(&file->fd);
}

bool
tree_finish(struct tree *tree, struct tree_file *file, const struct preserve_values *values,
	struct fault *fault)
{
	struct stat status;
	bool good = preserve_apply(tree->preserve, file->fd, values, 0666 & ~tree->mask) &&
		fstat(file->fd, &status) == 0;
	if (!good)
		(void)fault_set(
			fault, STATUS_OUTPUT, errno, "set the attributes of %s", file->name);
	good = good && inodes_add(&tree->own, &status, fault);
	if (!good) {
		tree_abandon(file);
		return false;
	}
	/* Errors of writing may be reported by close(2) only. */
	good = tree_sync(tree, file->fd) && sys_close(&file->fd) && tree_publish(tree, file);
	if (!good) {
		(void)fault_set(fault, STATUS_OUTPUT, errno, "extract %s", file->name);
		tree_abandon(file);
	}
	return good;
}

/* Applies the attributes of one directory. */
static bool
tree_settle_one(struct tree *tree, const char *path, const struct preserve_values *values,
	struct fault *fault)
{
	const char *name;
	int directory = tree_parent(tree, path, &name, fault);
	int fd = directory == -1 ? -1 : openat(directory, name, TREE_DIRECTORY);
	bool good = fd != -1 && preserve_apply(tree->preserve, fd, values, 0777 & ~tree->mask) &&
		tree_sync(tree, fd);
	if (!good)
		(void)fault_set(
			fault, STATUS_OUTPUT, errno, "set the attributes of directory %s", path);
	(void)sys_close(&fd);
	return good;
}

bool
tree_settle(struct tree *tree, struct fault *fault)
{
	bool good = true;
	/* From the end: what is in a directory comes after it, and may not be reached later. */
	while (tree->late_size > 0) {
		struct tree_late late;
		memcpy(&late, tree->late + tree->late_size - sizeof late, sizeof late);
		tree->late_size -= sizeof late + late.length;
		const char *path = (const char *)tree->late + tree->late_size;
		good = tree_settle_one(tree, path, &late.values, fault) && good;
	}
	return good;
}
