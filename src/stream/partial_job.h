/*
 * Making a written file permanent: its digest, permissions, time, fsync(2), rename(2) and again
 * fsync(2), in a thread, as each of them may block.
 */
#ifndef SOCKCAT_STREAM_PARTIAL_JOB_H
#define SOCKCAT_STREAM_PARTIAL_JOB_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/fault.h"
#include "base/io.h"
#include "plugin/digest.h"

struct partial_job;

/* How the file becomes permanent; zeroed: with the usual permissions and no replacement. */
struct partial_result {
	bool tree;             /* it is a directory that has its permissions */
	bool stored;           /* it has its final name, permissions and time already */
	mode_t mode;           /* 0: 0666 less the umask */
	bool has_mtime;        /* false: the time of the last write */
	bool replace;          /* replace a file of the final name */
	bool sync;             /* the file and its name survive a crash of the system */
	struct timespec mtime; /* the modification time */
	const struct digest_algorithm *algorithm; /* NULL: the contents are not known */
	unsigned char wanted[DIGEST_SIZE];        /* the digest that they have to have */
};

/*
 * Starts a job, which takes the descriptors of the file and of its directory; `part` and `name` are
 * names in it. *done_fd becomes readable when the job is done; -1: it is done. NULL if there is no
 * memory; then the caller keeps the descriptors.
 */
struct partial_job *partial_job_start(int fd, int directory, const char *part, const char *name,
	const struct partial_result *result, int *done_fd);

/*
 * IO_AGAIN until the job is done; then frees it. IO_FAIL: status 23, with the paths of the part and
 * of the final name for messages; 18: its digest differs.
 */
enum io partial_job_end(
	struct partial_job *job, const char *part_path, const char *path, struct fault *fault);

/* Abandons a job, which does not rename the file if it has not come to that. False: the file may
 * have its final name. */
bool partial_job_abandon(struct partial_job *job);

#endif
