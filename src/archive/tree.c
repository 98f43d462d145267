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

bool
tree_open(struct tree *tree, const char *path, struct fault *fault)
{
	struct stat status;
	tree->mask = umask(0);
	tree->parent_fd = -1;
	tree->root = strcmp(path, "-") == 0 ? sys_duplicate(STDOUT_FILENO)
					    : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->root == -1 || fstat(tree->root, &status) == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "open %s", path);
	tree->device = status.st_dev;
	tree->plain = tree->fresh && sys_has_plain_modes(tree->root);
	/* Otherwise directories above a file that the archive does not name get it. */
	if (!tree->plain)
		(void)umask(tree->mask);
	return true;
}

/* Writes a file or directory to the disk if the sync at the end (sys_sync_all) does not reach it:
 * where that writes nothing else, and on another file system than that of the root. EINVAL: it
 * cannot be synchronised. */
static bool
tree_sync(const struct tree *tree, int fd, dev_t device)
{
	return (sys_can_sync_all() && device == tree->device) || fsync(fd) == 0 || errno == EINVAL;
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
	late_close(&tree->late);
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

/* Makes a directory below another one of the device, and remembers that; one that exists is not
 * changed. */
static bool
tree_make(struct tree *tree, int directory, const char *name, mode_t mode, const char *path,
	struct fault *fault)
{
	struct stat status;
	if (mkdirat(directory, name, mode) == -1)
		return errno == EEXIST || tree_fail(directory, name, path, errno, fault);
	/* A new directory is on the device of the one above it. */
	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			tree_sync(tree, directory, status.st_dev)
		? tree->fresh || inodes_add(&tree->own, &status, fault)
		: tree_fail(directory, name, path, errno, fault);
}

/* Opens the directory of this name, or makes it. -1 and a fault on failure. */
static int
tree_enter(
	struct tree *tree, int directory, const char *name, const char *path, struct fault *fault)
{
	int fd = openat(directory, name, TREE_DIRECTORY);
	if (fd == -1 && errno == ENOENT) {
		mode_t mode = tree->plain ? 0777 & ~tree->mask : 0777;
		if (!tree_make(tree, directory, name, mode, path, fault))
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
	struct stat status;
	tree->parent_fd = fd;
	if (fstat(fd, &status) == -1)
		return tree_fail(fd, path, path, errno, fault);
	tree->parent_device = status.st_dev;
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
	return !(tree->fresh || tree->replace || inodes_have(&tree->own, &status)) ||
		late_add(&tree->late, path, values, fault);
}

bool
tree_root(struct tree *tree, const struct preserve_values *values, struct fault *fault)
{
	return !tree->fresh || late_add(&tree->late, "", values, fault);
}

/* Whether nothing of this name is there, or something that can be replaced. In a fresh tree that is
 * found when the file is made. */
static bool
tree_is_free(const struct tree *tree, int directory, const char *name, const char *path,
	struct fault *fault)
{
	struct stat status;
	if (tree->fresh)
		return true;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT || tree_fail(directory, name, path, errno, fault);
	if (S_ISDIR(status.st_mode))
		return tree_fail(directory, name, path, EISDIR, fault);
	return tree->replace || tree_fail(directory, name, path, EEXIST, fault);
}

/* Sets the name under which the file is made: in a fresh tree its own, otherwise one that is not
 * used; other runs may extract into the same directory. */
static void
tree_name(struct tree *tree, struct tree_file *file)
{
	file->made = tree->fresh ? file->name : file->temporary;
	if (tree->fresh)
		return;
	(void)snprintf(file->temporary, sizeof file->temporary, ".sockcat-%ld-%" PRIu64 ".part",
		(long)getpid(), tree->number++);
}

/* Whether to try another name, after a failure with this error. */
static bool
tree_names_again(const struct tree *tree, int error)
{
	return error == EEXIST && !tree->fresh;
}

/* Gives a file that was made its final name. */
static bool
tree_publish(const struct tree *tree, const struct tree_file *file)
{
	if (tree->fresh)
		return tree_sync(tree, file->directory, tree->parent_device);
	bool good = tree->replace
		? renameat(file->directory, file->made, file->directory, file->name) == 0
		: sys_rename_new(file->directory, file->made, file->name);
	int error = errno;
	/* Renaming a link to the same file does nothing. */
	if (!good || tree->replace)
		(void)unlinkat(file->directory, file->made, 0);
	errno = error;
	return good && tree_sync(tree, file->directory, tree->parent_device);
}

bool
tree_symlink(struct tree *tree, const char *path, const char *target, struct fault *fault)
{
	struct tree_file file;
	file.directory = tree_parent(tree, path, &file.name, fault);
	if (file.directory == -1 || !tree_is_free(tree, file.directory, file.name, path, fault))
		return false;
	bool made;
	do {
		tree_name(tree, &file);
		made = symlinkat(target, file.directory, file.made) == 0;
	} while (!made && tree_names_again(tree, errno));
	return (made && tree_publish(tree, &file)) ||
		tree_fail(file.directory, file.name, path, errno, fault);
}

/* Whether the target of a hard link is a regular file of this archive. */
static bool
tree_is_target(const struct tree *tree, int directory, const char *name)
{
	struct stat status;
	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(status.st_mode) && (tree->fresh || inodes_have(&tree->own, &status));
}

bool
tree_link(struct tree *tree, const char *path, const char *target, struct fault *fault)
{
	const char *name;
	struct tree_file file;
	int directory = tree_parent(tree, target, &name, fault);
	if (directory == -1)
		return false;
	if (!tree_is_target(tree, directory, name))
		return fault_set(fault, STATUS_FRAMING, 0,
			"extract %s: the target of the hard link, '%s', is no file of this archive",
			path, target);
	int source = sys_duplicate(directory);
	file.directory = source == -1 ? -1 : tree_parent(tree, path, &file.name, fault);
	bool good =
		file.directory != -1 && tree_is_free(tree, file.directory, file.name, path, fault);
	if (good) {
		do {
			tree_name(tree, &file);
			good = linkat(source, name, file.directory, file.made, 0) == 0;
		} while (!good && tree_names_again(tree, errno));
		good = good && tree_publish(tree, &file);
		if (!good)
			(void)tree_fail(file.directory, file.name, path, errno, fault);
	}
	(void)sys_close(&source);
	return good || fault_set(fault, STATUS_OUTPUT, errno, "extract %s", path);
}

bool
tree_begin(struct tree *tree, struct tree_file *file, const char *path,
	const struct preserve_values *values, struct fault *fault)
{
	/* Others cannot reach a file in a fresh directory. */
	mode_t mode =
		tree->plain ? preserve_mode(tree->preserve, values, 0666 & ~tree->mask) : 0600;
	file->fd = -1;
	file->directory = tree_parent(tree, path, &file->name, fault);
	if (file->directory == -1 || !tree_is_free(tree, file->directory, file->name, path, fault))
		return false;
	do {
		tree_name(tree, file);
		file->fd = openat(file->directory, file->made,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	} while (file->fd == -1 && tree_names_again(tree, errno));
	return file->fd != -1 || tree_fail(file->directory, file->made, path, errno, fault);
}

void
tree_abandon(struct tree_file *file)
{
	(void)unlinkat(file->directory, file->made, 0);
	(void)sys_close(&file->fd);
}

/* Remembers that the file was made here. */
static bool
tree_own(struct tree *tree, const struct tree_file *file, struct fault *fault)
{
	struct stat status;
	if (tree->fresh)
		return true;
	return fstat(file->fd, &status) == 0
		? inodes_add(&tree->own, &status, fault)
		: fault_set(fault, STATUS_OUTPUT, errno, "extract %s", file->name);
}

bool
tree_finish(struct tree *tree, struct tree_file *file, const struct preserve_values *values,
	struct fault *fault)
{
	bool good =
		preserve_apply(tree->preserve, file->fd, values, 0666 & ~tree->mask, tree->plain);
	if (!good)
		(void)fault_set(
			fault, STATUS_OUTPUT, errno, "set the attributes of %s", file->name);
	good = good && tree_own(tree, file, fault);
	if (!good) {
		tree_abandon(file);
		return false;
	}
	/* Errors of writing may be reported by close(2) only. */
	good = tree_sync(tree, file->fd, tree->parent_device) && sys_close(&file->fd) &&
		tree_publish(tree, file);
	if (!good) {
		(void)fault_set(fault, STATUS_OUTPUT, errno, "extract %s", file->name);
		tree_abandon(file);
	}
	return good;
}

/* Opens a directory to set its attributes. */
static int
tree_reopen(struct tree *tree, const char *path, struct fault *fault)
{
	const char *name;
	if (path[0] == '\0')
		return sys_duplicate(tree->root);
	int directory = tree_parent(tree, path, &name, fault);
	return directory == -1 ? -1 : openat(directory, name, TREE_DIRECTORY);
}

/* Applies the attributes of one directory. */
static bool
tree_settle_one(struct tree *tree, const char *path, const struct preserve_values *values,
	struct fault *fault)
{
	struct stat status;
	int fd = tree_reopen(tree, path, fault);
	bool good = fd != -1 &&
		preserve_apply(tree->preserve, fd, values, 0777 & ~tree->mask, false) &&
		fstat(fd, &status) == 0 && tree_sync(tree, fd, status.st_dev);
	if (!good)
		(void)fault_set(
			fault, STATUS_OUTPUT, errno, "set the attributes of directory %s", path);
	(void)sys_close(&fd);
	return good;
}

bool
tree_settle(struct tree *tree, struct fault *fault)
{
	struct preserve_values values;
	const char *path;
	bool good = true;
	/* From the last one: what is in a directory comes after it, and may not be reached later.
	 */
	while ((path = late_take(&tree->late, &values)) != NULL)
		good = tree_settle_one(tree, path, &values, fault) && good;
	return good;
}
