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
#include "archive/late.h"
#include "archive/preserve.h"
#include "base/fault.h"

struct tree {
	int root;
	dev_t device; /* of `root` */
	bool replace; /* existing files that are not directories may be replaced */
	/* The directory is a new one, which no other process uses: files are made under their final
	 * names, its own attributes are set, and all in it is of this archive. */
	bool fresh;
	bool plain; /* files can be made with their final permissions; only if `fresh` */
	unsigned preserve;
	mode_t mask;       /* the umask */
	struct inodes own; /* files and directories made here; not used if `fresh` */
	/* The directory that was opened last. */
	char *parent;
	size_t parent_length;
	int parent_fd; /* -1: none; may be `root` */
	dev_t parent_device;
	uint64_t number;  /* of the next temporary file */
	struct late late; /* attributes of directories */
};

/* A file that is being written. Unless the tree is `fresh`, it is beside its final name, which
 * exists only when it is complete. */
struct tree_file {
	int fd;
	int directory;    /* not owned */
	const char *name; /* the last component of its path */
	const char *made; /* its present name */
	char temporary[64];
};

/* The functions return false and a fault: status 23 or 27; 102 for a path through a symbolic link,
 * and for a hard link to a file that is not of this archive. */

/* `path` "-": the directory that is standard output. Close it in any case. */
bool tree_open(struct tree *tree, const char *path, struct fault *fault);
void tree_close(struct tree *tree);

/* The attributes of the directory itself, which are set if it is `fresh`. */
bool tree_root(struct tree *tree, const struct preserve_values *values, struct fault *fault);

/* Each makes one file, and the missing directories above it. */
bool tree_directory(struct tree *tree, const char *path, const struct preserve_values *values,
	struct fault *fault);
bool tree_symlink(struct tree *tree, const char *path, const char *target, struct fault *fault);

/* A hard link to a file of this archive. */
bool tree_link(struct tree *tree, const char *path, const char *target, struct fault *fault);

/* Begins a file, which others cannot open. Then it is written, and finished or abandoned. The path
 * has to stay valid until then, and no other entry is made meanwhile. */
bool tree_begin(struct tree *tree, struct tree_file *file, const char *path,
	const struct preserve_values *values, struct fault *fault);
bool tree_finish(struct tree *tree, struct tree_file *file, const struct preserve_values *values,
	struct fault *fault);
void tree_abandon(struct tree_file *file);

/* Applies the attributes of directories, when all files have been made. */
bool tree_settle(struct tree *tree, struct fault *fault);

#endif
