/*
 * A file that is written beside its final name, as ".NAME.part" in the same directory, and gets
 * that name when it is complete. A failed transfer leaves the file under the first name.
 *
 * The part is locked (flock(2)) while it is open, so that two writers of one file do not mix. All
 * names are looked up in the directory that was opened first; no symbolic link is followed in it.
 */
#ifndef SOCKCAT_STREAM_PARTIAL_H
#define SOCKCAT_STREAM_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/io.h"
#include "stream/partial_job.h"

/* Behind the name of a part: the file with the digests of its blocks (transfer/sidecar.h). */
#define PARTIAL_DIGESTS ".blocks"

struct partial {
	int fd;          /* owned; of the part, for reading and writing; -1 from the commit on */
	int done_fd;     /* owned; becomes readable when a commit is done; -1: none is pending */
	int directory;   /* owned */
	char *path;      /* owned: the final name, for messages; NULL: not open */
	char *part_path; /* owned: the part, for messages */
	size_t base;     /* where the last component begins in both */
	uint64_t size;   /* the length of a part that is resumed; 0: a new one */
	bool made;       /* this run created or emptied the part */
	bool tree;       /* the part is a directory */
	bool busy;       /* not open: another process, or another session, is writing it */
	struct partial_job *job; /* the pending commit; NULL: none */
};

#define PARTIAL_NONE ((struct partial){ .fd = -1, .done_fd = -1, .directory = -1 })

/*
 * Opens the part of a file. `directory`: where `path` is one name; NULL: `path` may have slashes. A
 * part of an earlier run is emptied, or with `resume` kept: its contents are to be checked by the
 * caller, and the file offset is 0. The digests of a part that is not kept are removed. It is
 * refused if another process is writing it, or if it is not a regular file of this user with one
 * name. False and a fault: status 23 or 27.
 */
bool partial_open(struct partial *partial, const char *directory, const char *path, bool resume,
	struct fault *fault);

/* What a check has found. */
struct partial_found {
	uint64_t size; /* of the part; 0: there is none */
	bool busy;     /* another process, or another session, is writing it */
};

/*
 * The same for a directory of one name in `directory`, which must not exist. The part is a
 * directory; what an earlier run has left in it is for the caller to remove. partial_commit needs
 * the result `tree`.
 */
bool partial_open_tree(
	struct partial *partial, const char *directory, const char *name, struct fault *fault);

/* The same for a file that is stored under its final name: takes its descriptor and that of its
 * directory, on failure too. partial_commit needs the result `stored`. */
bool partial_open_stored(
	struct partial *partial, int directory, const char *name, int fd, struct fault *fault);

/*
 * Checks, without writing to it, whether a file could be opened as above, and without `replace`
 * that its final name does not exist. *found, NULL: not needed, is set in any case. False and
 * a fault.
 */
bool partial_check(const char *directory, const char *path, bool replace,
	struct partial_found *found, struct fault *fault);

/* Removes the digests beside a part, which would be taken for those of other contents. */
bool partial_remove_digests(const struct partial *partial, struct fault *fault);

/*
 * Sets permissions and time, writes the file to the disk, renames it, and writes the directory to
 * the disk, in this order. With `sync` a thread does that: IO_AGAIN: poll `done_fd` for POLLIN,
 * call again with the same result. IO_FAIL: status 23 or 27; the part still exists.
 */
enum io partial_commit(
	struct partial *partial, const struct partial_result *result, struct fault *fault);

/* Abandons a pending commit. False: the file may have its final name. */
bool partial_abandon(struct partial *partial);

/* Closes the file; abandons a pending commit. The part stays unless it is empty and was made by
 * this run, or is a directory. A zeroed struct is allowed. */
void partial_close(struct partial *partial);

#endif
