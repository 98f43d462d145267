/* The verbs of sys.h on Linux. */
#define _GNU_SOURCE
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
sys_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

int
sys_accept(int listener, struct sockaddr *address, socklen_t *length)
{
	int fd;
	do
		fd = accept4(listener, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd == -1 && errno == EINTR);
	return fd;
}

bool
sys_pipe(int ends[static 2])
{
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

void
sys_close_others_on_exec(void)
{
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	/* A kernel before 5.11. */
	long limit = sysconf(_SC_OPEN_MAX);
	for (int fd = STDERR_FILENO + 1; fd < limit && fd < SYS_DESCRIPTORS; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
sys_end_with_parent(int signal)
{
	(void)prctl(PR_SET_PDEATHSIG, signal);
}

bool
sys_limit_processes(uint64_t most)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NPROC, &limit) == -1)
		return false;
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NPROC, &limit) == 0;
}

int
sys_reopen(int fd, int flags)
{
	char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
	unsigned number;
	/* Opening the master of a pseudo-terminal anew makes another pseudo-terminal. */
	if (ioctl(fd, TIOCGPTN, &number) == 0) {
		errno = ENOTSUP;
		return -1;
	}
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return sys_open(path, flags | O_NOCTTY);
}

void
sys_enlarge_pipe(int fd, int bytes)
{
	if (fcntl(fd, F_GETPIPE_SZ) < bytes)
		(void)fcntl(fd, F_SETPIPE_SZ, bytes);
}

bool
sys_unacknowledged(int fd, size_t *bytes)
{
	int queued = 0;
	if (ioctl(fd, SIOCOUTQ, &queued) == -1 || queued < 0)
		return false;
	*bytes = (size_t)queued;
	return true;
}

bool
sys_keep_alive(int fd, int idle, int interval, int count)
{
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) == 0;
}

bool
sys_mark_end(int fd, bool on)
{
	int value = on, old = 0;
	socklen_t size = sizeof old;
	return getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &old, &size) == 0 && old != value &&
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof value) == 0;
}

void
sys_mark_own_address(int fd)
{
	/* Each is refused by the other family. */
	int on = 1;
	(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

void
sys_peer_credentials(int fd, struct sys_credentials *credentials)
{
	/* A socket of another kind has these, too, but not set. */
	struct ucred peer = { .uid = SYS_NO_USER };
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1)
		peer.uid = SYS_NO_USER;
	*credentials = (struct sys_credentials){ peer.uid, peer.gid, peer.pid };
}

bool
sys_path_mtu(int fd, int *bytes)
{
	socklen_t size = sizeof *bytes;
	return getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, bytes, &size) == 0 ||
		getsockopt(fd, IPPROTO_IP, IP_MTU, bytes, &size) == 0;
}

bool
sys_dropped(int fd, uint64_t *count)
{
	/* The counter behind SO_RXQ_OVFL, which comes only with a datagram after the dropped ones.
	 */
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t size = sizeof info;
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) == -1 ||
		size <= SK_MEMINFO_DROPS * sizeof info[0])
		return false;
	*count = info[SK_MEMINFO_DROPS];
	return true;
}

bool
sys_random(void *bytes, size_t length)
{
	return getrandom(bytes, length, GRND_NONBLOCK) == (ssize_t)length;
}

bool
sys_bind_unnamed(int fd)
{
	/* "Autobind feature", unix(7): an abstract name that nobody else has. */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	return bind(fd, (struct sockaddr *)&address, sizeof address.sun_family) == 0;
}

bool
sys_vsock_address(uint32_t cid, uint32_t port, struct sockaddr_storage *address, socklen_t *length)
{
	struct sockaddr_vm vm;
	memset(&vm, 0, sizeof vm);
	vm.svm_family = AF_VSOCK;
	vm.svm_cid = cid;
	vm.svm_port = port != 0 ? port : VMADDR_PORT_ANY;
	memset(address, 0, sizeof *address);
	memcpy(address, &vm, sizeof vm);
	*length = sizeof vm;
	return true;
}

bool
sys_vsock_parts(const struct sockaddr_storage *address, uint32_t *cid, uint32_t *port)
{
	struct sockaddr_vm vm;
	if (address->ss_family != AF_VSOCK)
		return false;
	memcpy(&vm, address, sizeof vm);
	*cid = vm.svm_cid;
	*port = vm.svm_port;
	return true;
}

bool
sys_is_connected(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 ||
		info.tcpi_state != TCP_SYN_SENT;
}

ssize_t
sys_splice(int from, int to, size_t n)
{
	ssize_t moved;
	do
		moved = splice(from, NULL, to, NULL, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved == -1 && errno == EINTR);
	return moved;
}

bool
sys_has(enum sys_feature feature)
{
	(void)feature;
	return true;
}

int
sys_protocol_number(enum sys_protocol protocol)
{
	switch (protocol) {
	case SYS_UDPLITE:
		return IPPROTO_UDPLITE;
	case SYS_MPTCP:
		return IPPROTO_MPTCP;
	case SYS_SCTP:
		return IPPROTO_SCTP;
	}
	return -1;
}

/* A name in the same directory that nobody uses. To be freed. */
static char *
sys_private_name(const char *path)
{
	static unsigned counter;
	size_t size = strlen(path) + sizeof ".sockcat--" + 2 * 3 * sizeof(long);
	char *name = malloc(size);
	if (name != NULL)
		(void)snprintf(name, size, "%s.sockcat-%ld-%u", path, (long)getpid(), counter++);
	return name;
}

bool
sys_remove_same(const char *path, dev_t device, ino_t inode)
{
	/*
	 * A check followed by unlink(path) could remove what somebody has put there in between. So
	 * the file is first taken away to a private name, which only we touch, and looked at there:
	 * if it is another one it goes back, unless yet another has appeared in its place.
	 */
	struct stat found;
	if (lstat(path, &found) == -1)
		return false;
	if (found.st_dev != device || found.st_ino != inode) {
		errno = ESTALE;
		return false;
	}
	char *private = sys_private_name(path);
	if (private == NULL)
		return false;
	bool removed = false;
	if (renameat2(AT_FDCWD, path, AT_FDCWD, private, RENAME_NOREPLACE) == 0) {
		if (lstat(private, &found) == 0 && found.st_dev == device && found.st_ino == inode)
			removed = unlink(private) == 0;
		else if (renameat2(AT_FDCWD, private, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
			errno = ESTALE;
	} else if (errno == EINVAL || errno == ENOSYS) {
		/* A file system that cannot: the plain way, with its window. */
		removed = unlink(path) == 0;
	}
	int error = errno;
	free(private);
	errno = error;
	return removed;
}

/* Whether the socket that is held open has no owner any more. errno tells why not. */
static bool
sys_is_dead_socket(int held)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", held);
	/*
	 * Asked with a datagram socket: a living stream listener answers EPROTOTYPE and never
	 * notices, where a stream connection would take the place of its one client.
	 */
	int probe = sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (probe == -1)
		return false;
	bool refused = connect(probe, (struct sockaddr *)&address, sizeof address) == -1 &&
		errno == ECONNREFUSED;
	(void)sys_close(&probe);
	errno = EADDRINUSE;
	return refused;
}

bool
sys_look_at_socket(const char *path, struct stat *status)
{
	int held = sys_open(path, O_PATH | O_NOFOLLOW);
	bool good = held != -1 && fstat(held, status) == 0 && S_ISSOCK(status->st_mode) &&
		!sys_is_dead_socket(held);
	(void)sys_close(&held);
	return good;
}

bool
sys_remove_dead_socket(const char *path)
{
	/* Held open, the inode keeps its number: no new socket can be taken for it. */
	int held = sys_open(path, O_PATH | O_NOFOLLOW);
	if (held == -1)
		return false;
	struct stat status;
	bool removed = false;
	if (fstat(held, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			errno = EEXIST;
		else if (sys_is_dead_socket(held))
			removed = sys_remove_same(path, status.st_dev, status.st_ino);
	}
	int error = errno;
	(void)sys_close(&held);
	errno = error;
	return removed;
}
