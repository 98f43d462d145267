/* Opening files to write to; see output.h. */
#include "stream/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "sys/sys.h"

/* Do not block, nor wait for the reader of a FIFO. */
#define OUTPUT_FLAGS (O_WRONLY | O_NOCTTY | O_NONBLOCK)

/* The own descriptor that the path names; -1: none. */
static int
output_descriptor(const char *path)
{
	static const char numbers[] = "/dev/fd/";
	uint64_t number;
	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strncmp(path, numbers, strlen(numbers)) == 0 &&
		parse_count(path + strlen(numbers), INT_MAX, &number) == PARSE_OK)
		return (int)number;
	return -1;
}

bool
output_adopt(struct output *output, int fd, const char *path, struct fault *fault)
{
	struct stat status;
	output->fd = -1;
	errno = EBADF;
	if (!sys_is_open_for(fd, O_WRONLY) || fstat(fd, &status) == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "open %s", path);
	output->socket = S_ISSOCK(status.st_mode);
	/* A regular file is shared with its offset: neither text overwrites the other. */
	if (!S_ISREG(status.st_mode))
		output->fd = sys_reopen(fd, OUTPUT_FLAGS);
	if (output->fd == -1)
		output->fd = sys_duplicate(fd);
	return output->fd != -1 || fault_set(fault, STATUS_OUTPUT, errno, "open %s", path);
}

bool
output_open(struct output *output, const char *path, bool append, struct fault *fault)
{
	struct stat status;
	int own = output_descriptor(path);
	if (own != -1)
		return output_adopt(output, own, path, fault);
	output->socket = false;
	output->fd = sys_open(path, OUTPUT_FLAGS | O_CREAT | (append ? O_APPEND : O_EXCL));
	/* Never overwrite a file; a device or a FIFO is used as it is. */
	bool exists = output->fd == -1 && errno == EEXIST && stat(path, &status) == 0;
	if (exists && S_ISREG(status.st_mode))
		return fault_set(fault, STATUS_OUTPUT, 0,
			"open %s: the file exists (to append to it: --append-output)", path);
	if (exists)
		output->fd = sys_open(path, OUTPUT_FLAGS);
	return output->fd != -1 || fault_set(fault, STATUS_OUTPUT, errno, "open %s", path);
}

ssize_t
output_write(const struct output *output, const void *bytes, size_t n)
{
	const struct iovec piece = { (void *)(uintptr_t)bytes, n };
	return output->socket ? sys_send(output->fd, &piece, 1, NULL, 0)
			      : sys_writev(output->fd, &piece, 1);
}

bool
output_put(const struct output *output, const char *path, const void *bytes, size_t n,
	struct fault *fault)
{
	ssize_t put = output_write(output, bytes, n);
	return (put >= 0 && (size_t)put == n) ||
		fault_set(fault, STATUS_OUTPUT, put == -1 ? errno : EAGAIN, "write %s", path);
}
