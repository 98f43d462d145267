/*
 * The directory that an archive is extracted to. Every path (member_check) is opened component by
 * component without following symbolic links, also those that were there before; no path is opened
 * a second time.
 */
#ifndef SOCKCAT_ARCHIVE_TREE_H
#define SOCKCAT_ARCHIVE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/inodes.h"
#include "archive/preserve.h"
#include "base/fault.h"

struct tree {
	int root;
	dev_t device; /* of `root` */
	bool replace; /* existing files that are not directories may be replaced */
	unsigned preserve;
	mode_t mask;       /* the umask */
	struct inodes own; /* files and directories made here */
	/* The directory that was opened last. */
	char *parent;
	size_t parent_length;
	int parent_fd;   /* -1: none; may be `root` */
	uint64_t number; /* of the next temporary file */
	/* Attributes for directories, applied at the end: a sequence of struct tree_late and paths.
	 */
	unsigned char *late;
	size_t late_size, late_capacity;
};

/* A file that is being written, beside its final name, which exists only when it is complete. */
struct tree_file {
	int fd;
	int directory;    /* not owned */
	const char *name; /* the last component of its path */
	char temporary[64];
};

bool tree_open(struct tree *tree, const char *path, struct fault *fault);
void tree_close(struct tree *tree);

/* Each makes one file, and the missing directories above it. */
bool tree_directory(struct tree *tree, const char *path, const struct preserve_values *values,
	struct fault *fault);
bool tree_symlink(struct tree *tree, const char *path, const char *target, struct fault *fault);

/* A hard link to a file of this archive. */
bool tree_link(struct tree *tree, const char *path, const char *target, struct fault *fault);

/* Begins a file with mode 0600. Then it is written, and finished or abandoned. The path has to stay
 * valid until then, and no other entry is made meanwhile. */
bool tree_begin(struct tree *tree, struct tree_file *file, const char *path, struct fault *fault);
bool tree_finish(struct tree *tree, struct tree_file *file, const struct preserve_values *values,
	struct fault *fault);
void tree_abandon(struct tree_file *file);

/* Applies the attributes of directories. */
bool tree_settle(struct tree *tree, struct fault *fault);

#endif
