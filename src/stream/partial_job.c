/* Making a written file permanent; see partial_job.h. */
#include "stream/partial_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

/* How much is read at a time for a digest. */
#define PARTIAL_JOB_READ ((size_t)256 * 1024)

/* What failed in a commit. */
enum partial_job_step {
	PARTIAL_JOB_DONE,
	PARTIAL_JOB_VERIFY,
	PARTIAL_JOB_WRITE,
	PARTIAL_JOB_RENAME,
	PARTIAL_JOB_DIRECTORY
};

/* How far it has come. From PARTIAL_JOB_RENAMES on it cannot be stopped. */
enum partial_job_state {
	PARTIAL_JOB_RUNS,
	PARTIAL_JOB_RENAMES,
	PARTIAL_JOB_LEFT /* the loop or the thread has finished with it */
};

/* Shared by the loop and the thread; the second to leave it frees it. */
struct partial_job {
	int fd, directory;
	char *part, *name; /* owned */
	struct partial_result result;
	enum partial_job_step failed;
	int error;
	struct fault fault; /* of PARTIAL_JOB_VERIFY */
	int done;           /* the write end of a pipe; closing it wakes the loop */
	atomic_int state;   /* enum partial_job_state */
};

static void
partial_job_free(struct partial_job *job)
{
	(void)sys_close(&job->fd);
	(void)sys_close(&job->directory);
	(void)sys_close(&job->done);
	fault_clear(&job->fault);
	free(job->part);
	free(job->name);
	free(job);
}

/* Some file systems have no permissions (FAT): the file is complete without them. */
static bool
partial_job_set_mode(int fd, mode_t mode)
{
	return fchmod(fd, mode) == 0 || errno == EPERM || errno == ENOTSUP || errno == ENOSYS;
}

/* Reports what close(2) would, as on NFS. The descriptor itself keeps the lock until the file has
 * its name. Without a descriptor for a copy fsync(2) reports the same. */
static bool
partial_job_flush(int fd)
{
	int copy = sys_duplicate(fd);
	return copy != -1 ? sys_close(&copy) : fsync(fd) == 0;
}

/* Some file systems do not sync directories (EINVAL); one that may not be read is open for look-ups
 * only (EBADF). */
static bool
partial_job_sync_directory(int directory)
{
	return fsync(directory) == 0 || errno == EINVAL || errno == EBADF || errno == ENOTSUP;
}

/* Adds the contents of the file. */
static bool
partial_job_digest(struct partial_job *job, struct digest *digest)
{
	unsigned char *bytes = malloc(PARTIAL_JOB_READ);
	struct iovec piece = { bytes, PARTIAL_JOB_READ };
	off_t at = 0;
	ssize_t n = -1;
	errno = ENOMEM;
	while (bytes != NULL && !fault_is_set(&job->fault) &&
		(n = sys_read_at(job->fd, &piece, at)) > 0) {
		(void)digest_add(digest, bytes, (size_t)n, &job->fault);
		at += n;
	}
	if (n == -1)
		(void)fault_set(&job->fault, STATUS_OUTPUT, errno, "read %s", job->part);
	free(bytes);
	return !fault_is_set(&job->fault);
}

/* Whether the contents are those that are wanted. */
static bool
partial_job_verify(struct partial_job *job)
{
	const struct digest_algorithm *algorithm = job->result.algorithm;
	unsigned char found[DIGEST_SIZE];
	char texts[2][2 * DIGEST_SIZE + 1];
	size_t length;
	if (algorithm == NULL)
		return true;
	struct digest *digest = digest_new(algorithm->name, &job->fault);
	bool good = digest != NULL && partial_job_digest(job, digest) &&
		digest_finish(digest, found, &length, &job->fault);
	digest_free(digest);
	if (!good || memcmp(found, job->result.wanted, length) == 0)
		return good;
	digest_hex(found, length, texts[0]);
	digest_hex(job->result.wanted, length, texts[1]);
	return fault_set(&job->fault, STATUS_CUT, 0, "%s of %s is %s, not the expected %s",
		algorithm->label, job->name, texts[0], texts[1]);
}

/* Renames a directory. Where there is no such rename, not even by link(2), rename(2) replaces at
 * most an empty directory. */
static bool
partial_job_rename_tree(const struct partial_job *job)
{
	return sys_rename_new(job->directory, job->part, job->name) ||
		(errno == EPERM &&
			renameat(job->directory, job->part, job->directory, job->name) == 0);
}

static bool
partial_job_rename(const struct partial_job *job)
{
	if (job->result.tree)
		return partial_job_rename_tree(job);
	return job->result.replace
		? renameat(job->directory, job->part, job->directory, job->name) == 0
		: sys_rename_new(job->directory, job->part, job->name);
}

/* Sets permissions and time. */
static bool
partial_job_set_attributes(const struct partial_job *job)
{
	const struct partial_result *result = &job->result;
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, result->mtime };
	return result->stored ||
		((result->tree || partial_job_set_mode(job->fd, result->mode)) &&
			(!result->has_mtime || futimens(job->fd, times) == 0));
}

/* All that may block. The order makes the final name mean a complete file, even if the system
 * crashes meanwhile. */
static enum partial_job_step
partial_job_finish(struct partial_job *job)
{
	const struct partial_result *result = &job->result;
	if (!partial_job_verify(job))
		return PARTIAL_JOB_VERIFY;
	if (!partial_job_set_attributes(job) || (result->sync && fsync(job->fd) == -1) ||
		!partial_job_flush(job->fd)) {
		/* Data that could not be written stays in memory, and the next fsync(2) does not
		 * report it again: a later run has to see what is on the disk. */
		(void)posix_fadvise(job->fd, 0, 0, POSIX_FADV_DONTNEED);
		return PARTIAL_JOB_WRITE;
	}
	/* Unless the session has been interrupted. */
	int runs = PARTIAL_JOB_RUNS;
	if (!atomic_compare_exchange_strong(&job->state, &runs, PARTIAL_JOB_RENAMES))
		return PARTIAL_JOB_RENAME;
	if (!result->stored && !partial_job_rename(job))
		return PARTIAL_JOB_RENAME;
	return !result->sync || partial_job_sync_directory(job->directory) ? PARTIAL_JOB_DONE
									   : PARTIAL_JOB_DIRECTORY;
}

static void *
partial_job_thread(void *argument)
{
	struct partial_job *job = argument;
	job->failed = partial_job_finish(job);
	job->error = errno;
	/* Close the write end last, as that wakes the loop; copy it first, as the loop may free the
	 * job once it is left. */
	int done = job->done;
	job->done = -1;
	bool abandoned = atomic_exchange(&job->state, PARTIAL_JOB_LEFT) == PARTIAL_JOB_LEFT;
	(void)sys_close(&done);
	if (abandoned)
		partial_job_free(job);
	return NULL;
}

/* Without descriptors: the caller keeps them until there is memory for all. */
static struct partial_job *
partial_job_new(const char *part, const char *name, const struct partial_result *result)
{
	struct partial_job *job = calloc(1, sizeof *job);
	if (job == NULL)
		return NULL;
	job->fd = job->directory = job->done = -1;
	job->part = strdup(part);
	job->name = strdup(name);
	if (job->part == NULL || job->name == NULL) {
		partial_job_free(job);
		return NULL;
	}
	job->result = *result;
	if (result->mode == 0) {
		mode_t mask = umask(0);
		(void)umask(mask);
		job->result.mode = 0666 & ~mask;
	}
	return job;
}

struct partial_job *
partial_job_start(int fd, int directory, const char *part, const char *name,
	const struct partial_result *result, int *done_fd)
{
	int ends[2];
	struct partial_job *job = partial_job_new(part, name, result);
	*done_fd = -1;
	if (job == NULL)
		return NULL;
	job->fd = fd;
	job->directory = directory;
	if (result->sync && sys_pipe(ends)) {
		*done_fd = ends[0];
		job->done = ends[1];
		if (sys_start_thread(partial_job_thread, job, NULL))
			return job;
	}
	/* Without a thread it blocks the loop, but does not fail. */
	(void)partial_job_thread(job);
	return job;
}

enum io
partial_job_end(
	struct partial_job *job, const char *part_path, const char *path, struct fault *fault)
{
	if (atomic_load(&job->state) != PARTIAL_JOB_LEFT)
		return IO_AGAIN;
	enum partial_job_step failed = job->failed;
	int error = job->error;
	fault_move(fault, &job->fault);
	partial_job_free(job);
	switch (failed) {
	case PARTIAL_JOB_DONE:
		break;
	case PARTIAL_JOB_VERIFY:
		return IO_FAIL;
	case PARTIAL_JOB_WRITE:
		return IO_FAULT(fault, STATUS_OUTPUT, error, "write %s", part_path);
	case PARTIAL_JOB_RENAME:
		return IO_FAULT(fault, STATUS_OUTPUT, error, "rename %s to %s", part_path, path);
	case PARTIAL_JOB_DIRECTORY:
		return IO_FAULT(fault, STATUS_OUTPUT, error, "sync the directory of %s", path);
	}
	return IO_OK;
}

bool
partial_job_abandon(struct partial_job *job)
{
	int state = atomic_exchange(&job->state, PARTIAL_JOB_LEFT);
	if (state != PARTIAL_JOB_LEFT)
		return state == PARTIAL_JOB_RUNS;
	bool kept = job->failed != PARTIAL_JOB_DONE && job->failed != PARTIAL_JOB_DIRECTORY;
	partial_job_free(job);
	return kept;
}
