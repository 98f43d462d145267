/* The operations of sys.h on Linux. */
#define _GNU_SOURCE
#include "sys/call.h"

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* musl 1.2.3 has neither the function close_range nor its flags. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif

/* Fails with ENOSYS on kernels before 5.9, with EINVAL before 5.11. */
bool
sys_close_range_on_exec(unsigned first)
{
#ifdef SYS_close_range
	return syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
#else
	(void)first;
	return false;
#endif
}

int
sys_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

int
sys_accept(int listener, struct sockaddr *address, socklen_t *length)
{
	int fd;
	SYS_RESTART(fd, accept4(listener, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK));
	return fd;
}

bool
sys_pipe(int ends[static 2])
{
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

/* The link itself has the length 0, so the space for it grows. */
char *
sys_program_folder(uid_t *owner)
{
	static const char link[] = "/proc/self/exe";
	struct stat status;
	if (getauxval(AT_SECURE) != 0 || stat(link, &status) == -1)
		return NULL;
	for (size_t size = 256; size <= 1 << 16; size *= 2) {
		char *path = malloc(size);
		ssize_t length = path == NULL ? -1 : readlink(link, path, size);
		if (length > 0 && (size_t)length < size && path[0] == '/') {
			path[length] = '\0';
			*strrchr(path, '/') = '\0';
			*owner = status.st_uid;
			return path;
		}
		free(path);
		if (length < (ssize_t)size)
			return NULL;
	}
	return NULL;
}

void
sys_end_with_parent(int signal)
{
	(void)prctl(PR_SET_PDEATHSIG, signal);
}

bool
sys_limit_processes(uint64_t count)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NPROC, &limit) == -1)
		return false;
	if (limit.rlim_max > count)
		limit.rlim_max = count;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NPROC, &limit) == 0;
}

bool
sys_is_open_for(int fd, int access)
{
	int flags = fcntl(fd, F_GETFL), mode = flags & O_ACCMODE;
	if (flags == -1)
		return errno != EBADF;
	/* O_PATH has the access mode O_RDONLY, but cannot be read. */
	return (flags & O_PATH) == 0 && (mode == O_RDWR || mode == access);
}

int
sys_reopen(int fd, int flags)
{
	char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
	unsigned number;
	/* Reopening a pseudo-terminal's master would allocate another pseudo-terminal. */
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
sys_ended_by_probe(int fd)
{
	/* tcpi_probes counts the probes since the last acknowledgement. Zero-window probes count
	 * too, but with them there is unacknowledged data. A reset does not change either. */
	struct tcp_info info = { .tcpi_probes = 0 };
	socklen_t size = sizeof info;
	size_t left = 0;
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_probes > 0 &&
		sys_unacknowledged(fd, &left) && left == 0;
}

bool
sys_tcp_state(int fd, struct sys_tcp_state *state)
{
	struct tcp_info info = { .tcpi_rtt = 0 };
	socklen_t size = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 || info.tcpi_rtt == 0)
		return false;
	state->round_trip = info.tcpi_rtt * UINT64_C(1000);
	state->variation = info.tcpi_rttvar * UINT64_C(1000);
	state->retransmissions = info.tcpi_total_retrans;
	return true;
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
	/* Each option fails on a socket of the other family. */
	int on = 1;
	(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

void
sys_peer_credentials(int fd, struct sys_credentials *credentials)
{
	/* Other kinds of sockets have the option, but no value for it. */
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
	/* SO_RXQ_OVFL reports the same counter, but only with the next datagram. */
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
	/* "Autobind feature", unix(7): a unique abstract name. */
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
sys_accepts_options(void)
{
	return true;
}

bool
sys_can_reconnect(void)
{
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
	SYS_RESTART(moved, splice(from, NULL, to, NULL, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
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
	static const int numbers[] = { [SYS_UDPLITE] = IPPROTO_UDPLITE,
		[SYS_MPTCP] = IPPROTO_MPTCP,
		[SYS_SCTP] = IPPROTO_SCTP };
	return numbers[protocol];
}
