/* What is sent; see outgoing.h. */
#include "transfer/outgoing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "stream/stream.h"
#include "sys/sys.h"
#include "transfer/file_name.h"

bool
outgoing_open(struct outgoing *outgoing, const char *path, bool digest, struct fault *fault)
{
	const char *name = file_name_of(path), *refused = file_name_refuse(name, strlen(name));
	struct stat *status = &outgoing->status;
	*outgoing = (struct outgoing){ .path = path, .fd = -1, .digest = digest };
	if (refused != NULL)
		return fault_set(fault, STATUS_INPUT, 0, "send %s: %s", path, refused);
	if (stat(path, status) == 0 && S_ISDIR(status->st_mode))
		return true;
	outgoing->fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (outgoing->fd == -1 || fstat(outgoing->fd, status) == -1)
		return fault_set(fault, STATUS_INPUT, errno, "open %s", path);
	return S_ISREG(status->st_mode) ||
		fault_set(fault, STATUS_INPUT, 0, "send %s: not a regular file", path);
}

/* Adds n bytes of the pieces to the digest. */
static void
outgoing_add(struct outgoing *outgoing, const struct iovec *pieces, size_t n)
{
	for (int i = 0; n > 0; i++) {
		size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
		if (outgoing->digest)
			(void)blocks_add(
				&outgoing->blocks, pieces[i].iov_base, part, &outgoing->cause);
		n -= part;
	}
}

static void
outgoing_set_changed(struct outgoing *outgoing)
{
	(void)fault_set(&outgoing->cause, STATUS_INPUT, 0,
		"read %s: the file has changed while it was sent", outgoing->path);
}

size_t
outgoing_fill(struct outgoing *outgoing, const struct iovec *pieces, int count, uint64_t most)
{
	struct iovec cut[2];
	int used = stream_cut(pieces, count, most < SIZE_MAX ? (size_t)most : SIZE_MAX, cut, 2);
	ssize_t n = fault_is_set(&outgoing->cause) ? 0 : sys_readv(outgoing->fd, cut, used);
	if (n > 0) {
		outgoing_add(outgoing, cut, (size_t)n);
		return (size_t)n;
	}
	if (n == -1)
		(void)fault_set(&outgoing->cause, STATUS_INPUT, errno, "read %s", outgoing->path);
	else
		outgoing_set_changed(outgoing);
	for (int i = 0; i < used; i++)
		memset(cut[i].iov_base, 0, cut[i].iov_len);
	return stream_total(cut, used);
}

void
outgoing_check(struct outgoing *outgoing)
{
	struct stat now;
	const struct stat *then = &outgoing->status;
	if (!fault_is_set(&outgoing->cause) &&
		(fstat(outgoing->fd, &now) == -1 || now.st_size != then->st_size ||
			now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
			now.st_mtim.tv_nsec != then->st_mtim.tv_nsec))
		outgoing_set_changed(outgoing);
}

bool
outgoing_rewind(struct outgoing *outgoing)
{
	blocks_close(&outgoing->blocks);
	return lseek(outgoing->fd, 0, SEEK_SET) == 0 ||
		fault_set(&outgoing->cause, STATUS_INPUT, errno, "read %s", outgoing->path);
}

void
outgoing_close(struct outgoing *outgoing)
{
	(void)sys_close(&outgoing->fd);
	blocks_close(&outgoing->blocks);
	fault_clear(&outgoing->cause);
}
