/* The operations of sys.h with POSIX only, for systems without a file of their own. */
#include "sys/call.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes a descriptor close-on-exec and non-blocking; on failure closes it and returns -1. */
static int
sys_prepare(int fd)
{
	if (fd != -1 &&
		(fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || !sys_set_nonblocking(fd, true, NULL)))
		(void)sys_close(&fd);
	return fd;
}

int
sys_socket(int family, int type, int protocol)
{
	return sys_prepare(socket(family, type, protocol));
}

int
sys_accept(int listener, struct sockaddr *address, socklen_t *length)
{
	int fd;
	SYS_RESTART(fd, accept(listener, address, length));
	return sys_prepare(fd);
}

bool
sys_pipe(int ends[static 2])
{
	if (pipe(ends) == -1)
		return false;
	ends[0] = sys_prepare(ends[0]);
	ends[1] = sys_prepare(ends[1]);
	if (ends[0] != -1 && ends[1] != -1)
		return true;
	(void)sys_close(&ends[0]);
	(void)sys_close(&ends[1]);
	return false;
}

bool
sys_close_range_on_exec(unsigned first)
{
	(void)first;
	return false;
}

char *
sys_program_folder(uid_t *owner)
{
	(void)owner;
	return NULL;
}

void
sys_end_with_parent(int signal)
{
	(void)signal;
}

bool
sys_limit_processes(uint64_t count)
{
	(void)count;
	errno = ENOTSUP;
	return false;
}

bool
sys_is_open_for(int fd, int access)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL), mode = flags & O_ACCMODE;
	if (flags == -1)
		return errno != EBADF;
	if (mode != O_RDWR && mode != access)
		return false;
	/* A descriptor open for neither (O_PATH, O_SEARCH) may have the access mode O_RDONLY. */
	if (access != O_RDONLY || fstat(fd, &status) == -1 ||
		(!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
		return true;
	return read(fd, NULL, 0) != -1 || errno != EBADF;
}

int
sys_reopen(int fd, int flags)
{
	/* On most systems /dev/fd only duplicates the descriptor, which shares its flags. */
	(void)fd, (void)flags;
	errno = ENOTSUP;
	return -1;
}

void
sys_enlarge_pipe(int fd, int bytes)
{
	(void)fd, (void)bytes;
}

bool
sys_unacknowledged(int fd, size_t *bytes)
{
	(void)fd, (void)bytes;
	return false;
}

bool
sys_ended_by_probe(int fd)
{
	(void)fd;
	return false;
}

bool
sys_tcp_state(int fd, struct sys_tcp_state *state)
{
	(void)fd, (void)state;
	return false;
}

bool
sys_keep_alive(int fd, int idle, int interval, int count)
{
	int on = 1;
	(void)idle, (void)interval, (void)count;
	return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0;
}

bool
sys_mark_end(int fd, bool on)
{
	(void)fd, (void)on;
	return false;
}

void
sys_mark_own_address(int fd)
{
	(void)fd;
}

void
sys_peer_credentials(int fd, struct sys_credentials *credentials)
{
	(void)fd;
	*credentials = (struct sys_credentials){ .user = SYS_NO_USER };
}

bool
sys_path_mtu(int fd, int *bytes)
{
	(void)fd, (void)bytes;
	return false;
}

/* FIONREAD may count several messages: an upper bound is sufficient for the buffer. */
bool
sys_next_length(int fd, size_t *length)
{
	if (sys_readable(fd, length))
		return true;
	errno = EOPNOTSUPP;
	return false;
}

bool
sys_dropped(int fd, uint64_t *count)
{
	(void)fd, (void)count;
	return false;
}

ssize_t
sys_receive_message(
	int fd, const struct iovec *pieces, int count, bool connected, struct sys_message *message)
{
	struct msghdr header = sys_header(pieces, count);
	header.msg_name = &message->from;
	header.msg_namelen = sizeof message->from;
	ssize_t n;
	SYS_RESTART(n, recvmsg(fd, &header, MSG_DONTWAIT));
	if (n == -1)
		return -1;
	message->from_length = header.msg_namelen;
	message->truncated = (header.msg_flags & MSG_TRUNC) != 0;
	/* Without credentials an empty message looks like the end, which is more likely. */
	message->end = connected && n == 0;
	return n;
}

ssize_t
sys_send_from(int fd, const struct iovec *pieces, int count, const struct sockaddr *to,
	socklen_t length, const struct sockaddr_storage *at, socklen_t at_length)
{
	(void)at, (void)at_length;
	return sys_send(fd, pieces, count, to, length);
}

bool
sys_random(void *bytes, size_t length)
{
	int fd = sys_open("/dev/urandom", O_RDONLY);
	const struct iovec piece = { bytes, length };
	bool filled = fd != -1 && sys_readv(fd, &piece, 1) == (ssize_t)length;
	(void)sys_close(&fd);
	return filled;
}

bool
sys_bind_unnamed(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return false;
}

bool
sys_vsock_address(uint32_t cid, uint32_t port, struct sockaddr_storage *address, socklen_t *length)
{
	(void)cid, (void)port, (void)address, (void)length;
	errno = EAFNOSUPPORT;
	return false;
}

bool
sys_vsock_parts(const struct sockaddr_storage *address, uint32_t *cid, uint32_t *port)
{
	(void)address, (void)cid, (void)port;
	return false;
}

bool
sys_accepts_options(void)
{
	return false;
}

bool
sys_can_reconnect(void)
{
	return false;
}

bool
sys_is_connected(int fd)
{
	(void)fd;
	return true;
}

ssize_t
sys_splice(int from, int to, size_t n)
{
	(void)from, (void)to, (void)n;
	errno = ENOSYS;
	return -1;
}

int
sys_receive_messages(
	int fd, unsigned char *space, size_t slot, struct sys_message *messages, int count)
{
	struct iovec piece = { space, slot };
	(void)count;
	ssize_t n = sys_receive_message(fd, &piece, 1, false, messages);
	messages->length = n > 0 ? (size_t)n : 0;
	return n == -1 ? -1 : 1;
}

bool
sys_join_received(int fd, bool on)
{
	(void)fd, (void)on;
	return false;
}

int
sys_segments(int fd)
{
	(void)fd;
	return 0;
}

int
sys_send_messages(int fd, const struct iovec *pieces, int count, int segments)
{
	(void)segments;
	int taken = 0;
	while (taken < count && sys_send(fd, pieces + taken, 1, NULL, 0) != -1)
		taken++;
	return taken > 0 ? taken : -1;
}

bool
sys_has(enum sys_feature feature)
{
	return feature == SYS_FEATURE_ALWAYS;
}

int
sys_protocol_number(enum sys_protocol protocol)
{
	(void)protocol;
	return -1;
}

bool
sys_remove_same(const char *path, dev_t device, ino_t inode)
{
	return sys_is_same(path, device, inode) && unlink(path) == 0;
}

int
sys_open_directory(const char *path)
{
	return sys_open(path, O_RDONLY | O_DIRECTORY);
}

bool
sys_rename_new(int directory, const char *from, const char *to)
{
	return sys_link_new(directory, from, to);
}

bool
sys_set_access(const char *path, dev_t device, ino_t inode, mode_t mode, gid_t group)
{
	struct stat found;
	if (lstat(path, &found) == -1)
		return false;
	if (found.st_dev != device || found.st_ino != inode) {
		errno = ESTALE;
		return false;
	}
	return fchownat(AT_FDCWD, path, (uid_t)-1, group, AT_SYMLINK_NOFOLLOW) == 0 &&
		chmod(path, mode) == 0;
}

bool
sys_look_at_socket(const char *path, struct stat *status)
{
	return lstat(path, status) == 0 && S_ISSOCK(status->st_mode);
}

bool
sys_remove_dead_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat status;
	if (lstat(path, &status) == -1)
		return false;
	if (!S_ISSOCK(status.st_mode) || strlen(path) >= sizeof address.sun_path) {
		errno = EEXIST;
		return false;
	}
	memcpy(address.sun_path, path, strlen(path));
	return sys_is_dead_socket(&address) && sys_remove_same(path, status.st_dev, status.st_ino);
}

int
sys_watcher(void)
{
	errno = ENOSYS;
	return -1;
}

bool
sys_watch(int watcher, int fd, short events, bool known)
{
	(void)watcher, (void)fd, (void)events, (void)known;
	errno = ENOSYS;
	return false;
}

void
sys_unwatch(int watcher, int fd)
{
	(void)watcher, (void)fd;
}

int
sys_watched(int watcher, struct sys_fired *fired, int capacity, int timeout)
{
	(void)watcher, (void)fired, (void)capacity, (void)timeout;
	errno = ENOSYS;
	return -1;
}
