/* System calls that are the same on every system; see sys.h. */
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

ssize_t
sys_readv(int fd, const struct iovec *pieces, int count)
{
	ssize_t n;
	do
		n = readv(fd, pieces, count);
	while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
sys_writev(int fd, const struct iovec *pieces, int count)
{
	ssize_t n;
	do
		n = writev(fd, pieces, count);
	while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
sys_read_at(int fd, const struct iovec *piece, off_t offset)
{
	ssize_t n;
	do
		n = pread(fd, piece->iov_base, piece->iov_len, offset);
	while (n == -1 && errno == EINTR);
	return n;
}

/* A message header over pieces that sendmsg and recvmsg do not change. */
static struct msghdr
sys_header(const struct iovec *pieces, int count)
{
	struct msghdr header;
	memset(&header, 0, sizeof header);
	header.msg_iov = (struct iovec *)(uintptr_t)pieces;
	header.msg_iovlen = (size_t)count;
	return header;
}

ssize_t
sys_send(int fd, const struct iovec *pieces, int count, const struct sockaddr *to, socklen_t length)
{
	struct msghdr header = sys_header(pieces, count);
	header.msg_name = (void *)(uintptr_t)to;
	header.msg_namelen = to != NULL ? length : 0;
	ssize_t n;
	do
		n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
sys_receive(int fd, const struct iovec *pieces, int count)
{
	struct msghdr header = sys_header(pieces, count);
	ssize_t n;
	do
		n = recvmsg(fd, &header, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n;
}

bool
sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	if (connect(fd, address, length) == 0 || errno == EISCONN)
		return true;
	/* An interrupted connect goes on by itself; calling it again would be the error. A Unix
	 * listener whose queue is full says EAGAIN instead, and has to be asked again. */
	if (errno == EINTR || errno == EALREADY)
		errno = EINPROGRESS;
	return false;
}

bool
sys_readable(int fd, size_t *bytes)
{
	int count = 0;
	if (ioctl(fd, FIONREAD, &count) == -1 || count < 0)
		return false;
	*bytes = (size_t)count;
	return true;
}

bool
sys_set_low_water(int fd, int bytes)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0;
}

bool
sys_close(int *fd)
{
	int old = *fd;
	*fd = -1;
	return old == -1 || close(old) == 0 || errno == EINTR;
}

bool
sys_would_block(int error)
{
#if EWOULDBLOCK != EAGAIN
	if (error == EWOULDBLOCK)
		return true;
#endif
	return error == EAGAIN;
}

int
sys_open(const char *path, int flags)
{
	int fd;
	do
		fd = open(path, flags | O_CLOEXEC, 0666);
	while (fd == -1 && errno == EINTR);
	return fd;
}

bool
sys_pass_descriptor(int to, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = '\0';
	struct iovec piece = { &byte, sizeof byte };
	struct msghdr header = sys_header(&piece, 1);
	memset(&control, 0, sizeof control);
	header.msg_control = control.space;
	header.msg_controllen = sizeof control.space;
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	ssize_t n;
	do
		n = sendmsg(to, &header, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == 1;
}

bool
sys_is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags != -1 && (flags & O_NONBLOCK) != 0;
}

bool
sys_set_nonblocking(int fd, bool nonblocking, bool *was)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags == -1)
		return false;
	if (was != NULL)
		*was = (flags & O_NONBLOCK) != 0;
	int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return wanted == flags || fcntl(fd, F_SETFL, wanted) == 0;
}
