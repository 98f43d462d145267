/* System calls that are the same on every system; see sys.h. */
#include "sys/call.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>

ssize_t
sys_readv(int fd, const struct iovec *pieces, int count)
{
	ssize_t n;
	SYS_RESTART(n, readv(fd, pieces, count));
	return n;
}

ssize_t
sys_writev(int fd, const struct iovec *pieces, int count)
{
	ssize_t n;
	SYS_RESTART(n, writev(fd, pieces, count));
	return n;
}

ssize_t
sys_read_at(int fd, const struct iovec *piece, off_t offset)
{
	ssize_t n;
	SYS_RESTART(n, pread(fd, piece->iov_base, piece->iov_len, offset));
	return n;
}

/* The cast is safe: sendmsg and recvmsg do not modify the pieces. */
struct msghdr
sys_header(const struct iovec *pieces, int count)
{
	struct msghdr header;
	memset(&header, 0, sizeof header);
	header.msg_iov = (struct iovec *)(uintptr_t)pieces;
	header.msg_iovlen = (size_t)count;
	return header;
}

void
sys_attach(struct msghdr *header, void *space, int level, int type, const void *data, size_t size)
{
	memset(space, 0, CMSG_SPACE(size));
	header->msg_control = space;
	/* musl has socklen_t where glibc has size_t. */
	header->msg_controllen = (socklen_t)CMSG_SPACE(size);
	struct cmsghdr *c = CMSG_FIRSTHDR(header);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = (socklen_t)CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
}

bool
sys_is_same(const char *path, dev_t device, ino_t inode)
{
	struct stat found;
	if (lstat(path, &found) == -1)
		return false;
	errno = ESTALE;
	return found.st_dev == device && found.st_ino == inode;
}

ssize_t
sys_send(int fd, const struct iovec *pieces, int count, const struct sockaddr *to, socklen_t length)
{
	struct msghdr header = sys_header(pieces, count);
	header.msg_name = (void *)(uintptr_t)to;
	header.msg_namelen = to != NULL ? length : 0;
	ssize_t n;
	SYS_RESTART(n, sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
	return n;
}

ssize_t
sys_receive(int fd, const struct iovec *pieces, int count)
{
	struct msghdr header = sys_header(pieces, count);
	ssize_t n;
	SYS_RESTART(n, recvmsg(fd, &header, MSG_DONTWAIT));
	return n;
}

bool
sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	if (connect(fd, address, length) == 0 || errno == EISCONN)
		return true;
	/* An interrupted connect continues in the background (connect(2)). EAGAIN is a Unix
	 * listener whose queue is full: the caller has to connect again. */
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
sys_untaken(int fd, size_t *amount)
{
	struct stat status;
	/* For other files FIONREAD has another meaning. */
	return sys_unacknowledged(fd, amount) ||
		(fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && sys_readable(fd, amount));
}

uint64_t
sys_rest_of_file(int fd)
{
	struct stat status;
	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode))
		return 0;
	off_t at = lseek(fd, 0, SEEK_CUR);
	return at >= 0 && at < status.st_size ? (uint64_t)(status.st_size - at) : 0;
}

size_t
sys_columns(int fd)
{
	struct winsize size;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
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
	SYS_RESTART(fd, open(path, flags | O_CLOEXEC, 0666));
	return fd;
}

int
sys_open_private(const char *path, int flags)
{
	int fd;
	SYS_RESTART(fd, open(path, flags | O_CLOEXEC, 0600));
	return fd;
}

bool
sys_link_new(int directory, const char *from, const char *to)
{
	return linkat(directory, from, directory, to, 0) == 0 && unlinkat(directory, from, 0) == 0;
}

bool
sys_start_thread(void *(*run)(void *), void *argument, pthread_t *thread)
{
	pthread_attr_t attributes;
	pthread_t detached;
	sigset_t all, old;
	int error = pthread_attr_init(&attributes);
	if (error == 0) {
		if (thread == NULL)
			(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		(void)sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &old);
		error = pthread_create(
			thread != NULL ? thread : &detached, &attributes, run, argument);
		(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
		(void)pthread_attr_destroy(&attributes);
	}
	errno = error;
	return error == 0;
}

bool
sys_pass_descriptor(int to, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)];
	char byte = '\0';
	struct iovec piece = { &byte, sizeof byte };
	struct msghdr header = sys_header(&piece, 1);
	sys_attach(&header, control, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof fd);
	ssize_t n;
	SYS_RESTART(n, sendmsg(to, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
	return n == 1;
}

size_t
sys_allow_descriptors(size_t count)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return count;
	if (limit.rlim_cur >= count)
		return count;
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
	return (size_t)(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before);
}

void
sys_close_others_on_exec(void)
{
	if (sys_close_range_on_exec(STDERR_FILENO + 1))
		return;
	long limit = sysconf(_SC_OPEN_MAX);
	for (int fd = STDERR_FILENO + 1; fd < limit && fd < SYS_DESCRIPTORS; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool
sys_is_dead_socket(const struct sockaddr_un *address)
{
	/*
	 * Connect a datagram socket: that fails with EPROTOTYPE for a stream listener, which does
	 * not notice it. A stream connection would count as a client.
	 */
	int probe = sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (probe == -1)
		return false;
	int error =
		sys_connect(probe, (const struct sockaddr *)address, sizeof *address) ? 0 : errno;
	(void)sys_close(&probe);
	/* EACCES: connecting is not permitted, so the state of the socket is unknown. */
	errno = error == EACCES ? EACCES : EADDRINUSE;
	return error == ECONNREFUSED;
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

const void *
sys_load(const char *path, const char *symbol, const char **cause)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const void *address = NULL;
	if (object == NULL)
		*cause = dlerror();
	else if ((address = dlsym(object, symbol)) == NULL)
		*cause = "it does not define the symbol";
	return address;
}
