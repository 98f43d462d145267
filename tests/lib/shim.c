/*
 * shim.c - a library to preload that makes libc calls of one program fail, come up short or
 * come late, at a chosen call.
 *
 *   SHIM=CALL:ACTION:WHEN[:FD],...
 *     CALL    a name of the list CALLS below; __read_chk, open64 and the like count as the plain
 *             name; time() and gettimeofday() count as clock_gettime
 *     ACTION  an errno name        the call is not made and fails (close is made, then fails; so is
 *                                  connect with EINTR, EALREADY, EINPROGRESS, EISCONN)
 *             unmade               connect is not made and fails with EINTR
 *             short=N              an I/O call moves at most N bytes (not on message sockets)
 *             sleep=SECONDS        the call is made later
 *             signal=N             the call is made after signal N was raised
 *             meet=FD              a byte is written to FD, a socket, and the call is made after one
 *                                  was read from it
 *             EAI_..., addresses=N getaddrinfo fails, or finds 127.1.0.1, 127.1.0.2 ... (N of
 *                                  them) at the port that the service argument names
 *             jump=SECONDS         the wall clock is off by that much; clock_gettime only
 *             count                nothing happens
 *     WHEN    N (the N-th call, from 1), N+ (from then on), P% (seeded chance), * (always)
 *     FD      a number, or socket, pipe, file: other calls do not count for this rule
 *   SHIM_SEED=N      seed for P%, default 1
 *   SHIM_PROG=NAME   only a program of this name is touched; shells and children are left alone
 *   SHIM_COUNT=FILE  at a regular exit, "CALL N" for each call made, "CALL:failed N" for those
 *                    that a rule let fail, and "CALL:FD N" for each rule with an FD are written to FILE
 *
 * All rules are looked at for each call, in their order: delays add up, the smallest length holds,
 * the first error wins.  Calls count from the start of main on, so that neither the loader nor constructors
 * shift the numbers.  Each process counts for itself; a forked child goes on from its parent's
 * numbers.  A rule that cannot be understood ends the program with status 125.
 *
 * Limits: 64-bit Linux; stdio, the resolver and other parts of libc call each other past any
 * preloaded library; malloc rules never fire where AddressSanitizer is linked in statically,
 * because then its allocator comes first.  Build: cc -std=c11 -O1 -fPIC -shared shim.c -ldl,
 * without sanitizers.
 */
/* Tables of macros, which the formatter would take apart: */
/* clang-format off */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALLS(X)                                                                                   \
	X(read) X(write) X(readv) X(writev) X(recv) X(send) X(recvfrom) X(sendto) X(recvmsg)       \
	X(sendmsg) X(recvmmsg) X(sendmmsg) X(splice) X(sendfile) X(poll) X(ppoll) X(accept)        \
	X(accept4) X(connect) X(socket) X(socketpair) X(bind) X(listen) X(setsockopt)              \
	X(getpeername) X(getsockopt) X(fcntl) X(ioctl) X(pipe) X(pipe2) X(dup) X(dup2) X(dup3) X(shutdown)        \
	X(close) X(open) X(openat) X(fsync) X(unlink) X(renameat) X(fchownat) X(fork) X(eventfd) X(getrandom)   \
	X(pthread_create) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(getaddrinfo)               \
	X(clock_gettime) X(malloc) X(calloc) X(realloc)

#define ENUM(name) C_##name,
enum call { CALLS(ENUM) CALL_COUNT };
#define NAME(name) #name,
static const char *const names[] = { CALLS(NAME) };

enum action { DO_ERROR, DO_SHORT, DO_SLEEP, DO_SIGNAL, DO_MEET, DO_ADDRESSES, DO_JUMP, DO_COUNT };
enum { FD_ANY = -1, FD_SOCKET = -2, FD_PIPE = -3, FD_FILE = -4 };

struct rule {
	enum call call;
	enum action action;
	bool eai;                    /* the number is a status of getaddrinfo, not an errno */
	double number;               /* the errno, the N, the seconds, the signal */
	unsigned long first, last;   /* due for these calls ... */
	unsigned long chance;        /* ... and then with this chance of 10,000 */
	int fd;
	const char *fd_text;
	atomic_ulong seen;
};

struct verdict {
	int error;                   /* 0: make the call */
	bool eai;
	size_t most;
	long addresses, jump;
};

typedef void (*any_fn)(void);

static struct rule rules[64];
static size_t rule_count;
static uint64_t seed;
static atomic_ulong made[CALL_COUNT], failed[CALL_COUNT];
static _Atomic(any_fn) found[CALL_COUNT];
static atomic_bool active;           /* only between the start of main and the exit */
static int count_fd = -1;
static pid_t count_pid;

/* Set while dlsym is at work. It may ask for memory before the real allocator is known, and does
 * without when it gets none. own: the shim calls, do not judge. initial-exec: reaching these never
 * allocates. */
#define THREAD_OWN static _Thread_local __attribute__((tls_model("initial-exec")))
THREAD_OWN bool resolving, own;

static any_fn
lookup(enum call c)
{
	any_fn f = atomic_load_explicit(&found[c], memory_order_relaxed);
	bool outer = resolving;
	void *p;

	if (f != NULL)
		return f;
	resolving = true;
	p = dlsym(RTLD_NEXT, names[c]);
	resolving = outer;
	memcpy(&f, &p, sizeof f);
	atomic_store_explicit(&found[c], f, memory_order_relaxed);
	return f;
}

/* The asm label gives the hook the name of the call without meeting its declaration, which in
 * the headers may be an inline, a macro, or have a transparent union. */
#define NEXT(name) ((name##_fn *)lookup(C_##name))
#define ALIAS(ret, name, params)                                                                   \
	ret hook_##name params __asm__(#name);                                                     \
	ret hook_##name params
#define HOOK(ret, name, params)                                                                    \
	typedef ret name##_fn params;                                                              \
	ALIAS(ret, name, params)

/* ---- deciding ---- */

static bool
fd_matches(const struct rule *r, int fd)
{
	struct stat st;

	if (r->fd == FD_ANY || r->fd >= 0)
		return r->fd == FD_ANY || r->fd == fd;
	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	return r->fd == FD_SOCKET ? S_ISSOCK(st.st_mode)
	     : r->fd == FD_PIPE ? S_ISFIFO(st.st_mode) : S_ISREG(st.st_mode);
}

/* Hashing the call's number, instead of drawing the next number of a generator, makes the
 * outcome independent of the order in which threads come by. */
static bool
due(const struct rule *r, unsigned long n)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + (uint64_t)(r - rules) * 0xd1b54a32d192ed03u + n;

	if (n < r->first || n > r->last)
		return false;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	return x % 10000 < r->chance;
}

typedef ssize_t meet_write_fn(int fd, const void *p, size_t n);
typedef ssize_t meet_read_fn(int fd, void *p, size_t n);

static void
meet(int fd)
{
	char byte = 0;

	(void)((meet_write_fn *)lookup(C_write))(fd, &byte, 1);
	while (((meet_read_fn *)lookup(C_read))(fd, &byte, 1) == -1 && errno == EINTR)
		;
}

static struct verdict
judge(enum call c, int fd)
{
	struct verdict v = { .most = SIZE_MAX };
	struct timespec left;
	int saved = errno;

	if (!atomic_load_explicit(&active, memory_order_acquire) || own)
		return v;
	atomic_fetch_add(&made[c], 1);
	for (struct rule *r = rules; r < rules + rule_count; r++) {
		if (r->call != c || !fd_matches(r, fd)
		    || !due(r, atomic_fetch_add(&r->seen, 1) + 1))
			continue;
		if (r->action == DO_SHORT && r->number < (double)v.most)
			v.most = (size_t)r->number;
		else if (r->action == DO_ADDRESSES)
			v.addresses = (long)r->number;
		else if (r->action == DO_JUMP)
			v.jump += (long)r->number;
		else if (r->action == DO_ERROR && v.error == 0)
			v.error = (int)r->number, v.eai = r->eai;
		else if (r->action == DO_SIGNAL)
			(void)raise((int)r->number);
		else if (r->action == DO_MEET)
			meet((int)r->number);
		else if (r->action == DO_SLEEP) {
			left.tv_sec = (time_t)r->number;
			left.tv_nsec = (long)((r->number - (double)left.tv_sec) * 1e9);
			while (nanosleep(&left, &left) != 0 && errno == EINTR)
				;
		}
	}
	if (v.error != 0)
		atomic_fetch_add(&failed[c], 1);
	errno = saved;
	return v;
}

static bool
denied(enum call c, int fd)
{
	struct verdict v = judge(c, fd);

	if (v.error != 0)
		errno = v.error;
	return v.error != 0;
}

/* ---- plain calls ---- */

#define PLAIN(name, fd, params, args)                                                              \
	HOOK(int, name, params) { return denied(C_##name, fd) ? -1 : NEXT(name) args; }
#define SAME(ret, alias, params, name, args) ALIAS(ret, alias, params) { return hook_##name args; }

/* open, fcntl and ioctl are variadic, but on 64-bit Linux one more argument of integer or pointer
 * size travels the same way whether it is declared or not. */
PLAIN(open, -1, (const char *p, int f, mode_t m), (p, f, m))
PLAIN(openat, -1, (int d, const char *p, int f, mode_t m), (d, p, f, m))
PLAIN(fcntl, fd, (int fd, int what, void *arg), (fd, what, arg))
PLAIN(ioctl, fd, (int fd, unsigned long what, void *arg), (fd, what, arg))
PLAIN(accept, s, (int s, void *a, socklen_t *n), (s, a, n))
PLAIN(accept4, s, (int s, void *a, socklen_t *n, int f), (s, a, n, f))
PLAIN(socket, -1, (int d, int t, int p), (d, t, p))
PLAIN(socketpair, -1, (int d, int t, int p, int *v), (d, t, p, v))
PLAIN(bind, s, (int s, const void *a, socklen_t n), (s, a, n))
PLAIN(listen, s, (int s, int n), (s, n))
PLAIN(setsockopt, s, (int s, int l, int o, const void *v, socklen_t n), (s, l, o, v, n))
PLAIN(getpeername, s, (int s, struct sockaddr *a, socklen_t *n), (s, a, n))
PLAIN(getsockopt, s, (int s, int l, int o, void *v, socklen_t *n), (s, l, o, v, n))
PLAIN(shutdown, s, (int s, int how), (s, how))
PLAIN(pipe, -1, (int *v), (v))
PLAIN(pipe2, -1, (int *v, int f), (v, f))
PLAIN(dup, fd, (int fd), (fd))
PLAIN(dup2, fd, (int fd, int to), (fd, to))
PLAIN(dup3, fd, (int fd, int to, int f), (fd, to, f))
PLAIN(fsync, fd, (int fd), (fd))
PLAIN(fchownat, -1, (int d, const char *p, uid_t u, gid_t g, int f), (d, p, u, g, f))
PLAIN(unlink, -1, (const char *p), (p))
PLAIN(renameat, -1, (int fd, const char *p, int fd2, const char *p2), (fd, p, fd2, p2))
PLAIN(fork, -1, (void), ())
HOOK(ssize_t, getrandom, (void *p, size_t n, unsigned f))
{
	return denied(C_getrandom, -1) ? -1 : NEXT(getrandom)(p, n, f);
}
PLAIN(eventfd, -1, (unsigned n, int f), (n, f))
PLAIN(poll, -1, (void *p, nfds_t n, int ms), (p, n, ms))
PLAIN(epoll_create1, -1, (int f), (f))
PLAIN(epoll_ctl, fd, (int s, int what, int fd, void *e), (s, what, fd, e))
PLAIN(epoll_wait, -1, (int s, void *v, int n, int ms), (s, v, n, ms))
PLAIN(ppoll, -1, (void *p, nfds_t n, const void *t, const void *m), (p, n, t, m))
PLAIN(recvmmsg, s, (int s, void *v, unsigned n, int f, void *t), (s, v, n, f, t))
PLAIN(sendmmsg, s, (int s, void *v, unsigned n, int f), (s, v, n, f))
SAME(int, open64, (const char *p, int f, mode_t m), open, (p, f, m))
SAME(int, openat64, (int d, const char *p, int f, mode_t m), openat, (d, p, f, m))
SAME(int, __open_2, (const char *p, int f), open, (p, f, 0))
SAME(int, __open64_2, (const char *p, int f), open, (p, f, 0))
SAME(int, __openat_2, (int d, const char *p, int f), openat, (d, p, f, 0))
SAME(int, __openat64_2, (int d, const char *p, int f), openat, (d, p, f, 0))
SAME(int, fcntl64, (int fd, int what, void *arg), fcntl, (fd, what, arg))

/* The fortified names: what the compiler's check would have caught still ends the program. */
#define CHECKED(ret, name, params, count, room, args)                                              \
	ALIAS(ret, __##name##_chk, params)                                                         \
	{                                                                                          \
		if ((count) > (room))                                                              \
			abort();                                                                   \
		return hook_##name args;                                                           \
	}
CHECKED(int, poll, (void *p, nfds_t n, int ms, size_t size), n, size / sizeof(struct pollfd),
	(p, n, ms))
CHECKED(int, ppoll, (void *p, nfds_t n, const void *t, const void *m, size_t size), n,
	size / sizeof(struct pollfd), (p, n, t, m))

#define UNMADE (-EINTR)

HOOK(int, connect, (int s, const void *a, socklen_t n))
{
	bool fail = denied(C_connect, s);
	int error = errno;
	int rc = 0;

	if (fail && error == UNMADE) {
		errno = EINTR;
		return -1;
	}
	/* These errors say that the connection is on its way, or there: so it has to be. */
	if (!fail || error == EINTR || error == EALREADY || error == EINPROGRESS || error == EISCONN)
		rc = NEXT(connect)(s, a, n);
	if (!fail)
		return rc;
	errno = error;
	return -1;
}

HOOK(int, close, (int fd))
{
	bool fail = denied(C_close, fd);
	int error = errno;
	int rc = NEXT(close)(fd); /* as on Linux, the descriptor is gone either way */

	if (!fail)
		return rc;
	errno = error;
	return -1;
}

HOOK(int, pthread_create, (void *t, const void *a, void *(*f)(void *), void *arg))
{
	return denied(C_pthread_create, -1) ? errno : NEXT(pthread_create)(t, a, f, arg);
}

/* ---- calls that move bytes ---- */

/* A kernel never moves a part of a message; doing so here would test nothing real. */
static bool
may_cut(int fd)
{
	int type = SOCK_STREAM, saved = errno;
	socklen_t len = sizeof type;

	(void)NEXT(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	errno = saved;
	return type == SOCK_STREAM;
}

/* As denied; else sets *most to the bytes that the call may move. */
static bool
io_denied(enum call c, int fd, size_t *most)
{
	struct verdict v = judge(c, fd);

	*most = v.most == SIZE_MAX || may_cut(fd) ? v.most : SIZE_MAX;
	if (v.error != 0)
		errno = v.error;
	return v.error != 0;
}

#define IO(name, params, args)                                                                     \
	HOOK(ssize_t, name, params)                                                                \
	{                                                                                          \
		size_t most;                                                                       \
		if (io_denied(C_##name, fd, &most))                                                \
			return -1;                                                                 \
		n = n < most ? n : most;                                                           \
		return NEXT(name) args;                                                            \
	}
IO(read, (int fd, void *p, size_t n), (fd, p, n))
IO(write, (int fd, const void *p, size_t n), (fd, p, n))
IO(recv, (int fd, void *p, size_t n, int f), (fd, p, n, f))
IO(send, (int fd, const void *p, size_t n, int f), (fd, p, n, f))
IO(recvfrom, (int fd, void *p, size_t n, int f, void *a, void *l), (fd, p, n, f, a, l))
IO(sendto, (int fd, const void *p, size_t n, int f, const void *a, socklen_t l),
	(fd, p, n, f, a, l))
IO(sendfile, (int fd, int in, void *o, size_t n), (fd, in, o, n))
IO(splice, (int fd, void *i, int out, void *o, size_t n, unsigned f), (fd, i, out, o, n, f))
SAME(ssize_t, sendfile64, (int fd, int in, void *o, size_t n), sendfile, (fd, in, o, n))
CHECKED(ssize_t, read, (int fd, void *p, size_t n, size_t size), n, size, (fd, p, n))
CHECKED(ssize_t, recv, (int fd, void *p, size_t n, size_t size, int f), n, size, (fd, p, n, f))
CHECKED(ssize_t, recvfrom, (int fd, void *p, size_t n, size_t size, int f, void *a, void *l), n,
	size, (fd, p, n, f, a, l))

/* A cut list may have fewer pieces than the caller's: it is a short call anyway. */
#define PIECES 16

/* Copies into cut as many of the *n vectors in v as most bytes need. Returns the copy, or v
 * itself if there is nothing to cut, and sets *n. */
static struct iovec *
shortened(struct iovec *cut, struct iovec *v, size_t *n, size_t most)
{
	size_t i = 0;

	if (most == SIZE_MAX)
		return v;
	for (; i < *n && i < PIECES && most > 0; i++) {
		cut[i] = v[i];
		if (cut[i].iov_len > most)
			cut[i].iov_len = most;
		most -= cut[i].iov_len;
	}
	*n = i;
	return cut;
}

#define VECTOR(name)                                                                               \
	HOOK(ssize_t, name, (int fd, struct iovec *v, int count))                                  \
	{                                                                                          \
		struct iovec cut[PIECES];                                                          \
		size_t most, n = count > 0 ? (size_t)count : 0;                                    \
		if (io_denied(C_##name, fd, &most))                                                \
			return -1;                                                                 \
		v = shortened(cut, v, &n, most);                                                   \
		return NEXT(name)(fd, v, count > 0 ? (int)n : count);                              \
	}
VECTOR(readv)
VECTOR(writev)

/* The call gets a copy, because sendmsg's caller may keep its own in read-only memory; what
 * recvmsg fills in goes back. */
#define MESSAGE(name)                                                                              \
	HOOK(ssize_t, name, (int fd, struct msghdr *m, int flags))                                 \
	{                                                                                          \
		struct iovec cut[PIECES];                                                          \
		struct msghdr lent = *m;                                                           \
		size_t most, n = m->msg_iovlen;                                                    \
		ssize_t rc;                                                                        \
		if (io_denied(C_##name, fd, &most))                                                \
			return -1;                                                                 \
		lent.msg_iov = shortened(cut, m->msg_iov, &n, most);                               \
		lent.msg_iovlen = n;                                                               \
		rc = NEXT(name)(fd, &lent, flags);                                                 \
		if (C_##name == C_recvmsg) {                                                       \
			m->msg_namelen = lent.msg_namelen;                                         \
			m->msg_controllen = lent.msg_controllen;                                   \
			m->msg_flags = lent.msg_flags;                                             \
		}                                                                                  \
		return rc;                                                                         \
	}
MESSAGE(sendmsg)
MESSAGE(recvmsg)

/* ---- memory ---- */

#define MEMORY(name, params, args)                                                                 \
	HOOK(void *, name, params)                                                                 \
	{                                                                                          \
		return resolving || denied(C_##name, -1) ? NULL : NEXT(name) args;                 \
	}
MEMORY(malloc, (size_t n), (n))
MEMORY(calloc, (size_t k, size_t n), (k, n))
MEMORY(realloc, (void *p, size_t n), (p, n))

/* ---- names and the clock ---- */

/* One block per address, from the allocator that the program uses, be it a sanitizer's: the C
 * library's freeaddrinfo then takes the list as one of its own. It is looked up by name, since a
 * plain call might be bound to the hook here. */
static int
made_up(long count, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct addrinfo *a;
	void *p = dlsym(RTLD_DEFAULT, "calloc");
	calloc_fn *take;

	memcpy(&take, &p, sizeof take);
	sin.sin_port = htons((uint16_t)(service != NULL ? strtol(service, NULL, 10) : 0));
	*result = NULL;
	for (; count > 0; count--) {
		own = true;
		a = take(1, sizeof *a + sizeof sin);
		own = false;
		if (a == NULL)
			return freeaddrinfo(*result), EAI_MEMORY;
		sin.sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)count);
		a->ai_family = AF_INET;
		a->ai_socktype = hints != NULL && hints->ai_socktype != 0 ? hints->ai_socktype
		    : SOCK_STREAM;
		a->ai_protocol = hints != NULL ? hints->ai_protocol : 0;
		a->ai_addrlen = sizeof sin;
		a->ai_addr = memcpy(a + 1, &sin, sizeof sin);
		a->ai_next = *result;
		*result = a;
	}
	return 0;
}

HOOK(int, getaddrinfo, (const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result))
{
	struct verdict v;

	/* Without a host, or with a numeric one, no server is asked: that is parsing. */
	if (host == NULL || (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0))
		return NEXT(getaddrinfo)(host, service, hints, result);
	v = judge(C_getaddrinfo, -1);
	if (v.error != 0)
		return v.eai ? v.error : (errno = v.error, EAI_SYSTEM);
	if (v.addresses == 0)
		return NEXT(getaddrinfo)(host, service, hints, result);
	if (hints != NULL && hints->ai_family == AF_INET6)
		return EAI_NONAME;
	return made_up(v.addresses, service, hints, result);
}

HOOK(int, clock_gettime, (clockid_t id, struct timespec *ts))
{
	struct verdict v = { .error = 0 };

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		v = judge(C_clock_gettime, -1);
	if (v.error != 0)
		return errno = v.error, -1;
	if (NEXT(clock_gettime)(id, ts) != 0)
		return -1;
	ts->tv_sec += v.jump;
	return 0;
}

ALIAS(time_t, time, (time_t *t))
{
	struct timespec ts = { .tv_sec = -1 };

	(void)hook_clock_gettime(CLOCK_REALTIME, &ts);
	return t != NULL ? (*t = ts.tv_sec) : ts.tv_sec;
}

ALIAS(int, gettimeofday, (struct timeval *tv, void *zone))
{
	struct timespec ts = { .tv_sec = 0 };
	int rc = hook_clock_gettime(CLOCK_REALTIME, &ts);

	(void)zone;
	*tv = (struct timeval){ .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
	return rc;
}

/* ---- rules ---- */

struct number_name {
	const char *name;
	int value;
};
#define N(name) { #name, name }
static const struct number_name errors[] = {
	N(E2BIG), N(EACCES), N(EADDRINUSE), N(EADDRNOTAVAIL), N(EAFNOSUPPORT), N(EAGAIN),
	N(EALREADY), N(EBADF), N(EBUSY), N(ECHILD), N(ECONNABORTED), N(ECONNREFUSED),
	N(ECONNRESET), N(EDQUOT), N(EEXIST), N(EFAULT), N(EFBIG), N(EHOSTDOWN), N(EHOSTUNREACH),
	N(EINPROGRESS), N(EINTR), N(EINVAL), N(EIO), N(EISCONN), N(EISDIR), N(ELOOP), N(EMFILE),
	N(EMSGSIZE), N(ENAMETOOLONG), N(ENETDOWN), N(ENETRESET), N(ENETUNREACH), N(ENFILE),
	N(ENOBUFS), N(ENODEV), N(ENOENT), N(ENOMEM), N(ENONET), N(ENOPROTOOPT), N(ENOSPC),
	N(ENOSYS), N(ENOTCONN), N(ENOTDIR), N(ENOTSOCK), N(ENOTTY), N(ENXIO), N(EOPNOTSUPP),
	N(EPERM), N(EPIPE), N(EPROTO), N(EPROTONOSUPPORT), N(EPROTOTYPE), N(EROFS), N(ESPIPE),
	N(ESRCH), N(ETIMEDOUT), N(EWOULDBLOCK), N(EXDEV),
	N(EAI_AGAIN), N(EAI_FAIL), N(EAI_FAMILY), N(EAI_MEMORY), N(EAI_NODATA), N(EAI_NONAME),
	N(EAI_SERVICE), N(EAI_SYSTEM),
};

/* If text is NAME=VALUE, with VALUE from low to high, sets what r does. */
static bool
parse_value(struct rule *r, const char *text, const char *name, enum action action, double low,
	double high)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(text, name, n) != 0 || text[n] != '=')
		return false;
	r->action = action;
	r->number = strtod(text + n + 1, &end);
	return end != text + n + 1 && *end == '\0' && r->number >= low && r->number <= high;
}

static bool
parse_action(struct rule *r, const char *text)
{
	bool names_only = r->call == C_getaddrinfo;

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		if (strcmp(text, errors[i].name) == 0) {
			r->action = DO_ERROR;
			r->number = errors[i].value;
			r->eai = strncmp(text, "EAI_", 4) == 0;
			return names_only || !r->eai;
		}
	}
	if (r->call == C_connect && strcmp(text, "unmade") == 0) {
		r->action = DO_ERROR;
		r->number = UNMADE;
		return true;
	}
	r->action = DO_COUNT;
	return strcmp(text, "count") == 0 || parse_value(r, text, "sleep", DO_SLEEP, 0, 1e6)
	    || parse_value(r, text, "signal", DO_SIGNAL, 1, 64)
	    || parse_value(r, text, "meet", DO_MEET, 0, INT_MAX)
	    || parse_value(r, text, "short", DO_SHORT, 1, 1e9)
	    || (names_only && parse_value(r, text, "addresses", DO_ADDRESSES, 1, 65535))
	    || (r->call == C_clock_gettime && parse_value(r, text, "jump", DO_JUMP, -1e11, 1e11));
}

static bool
parse_when(struct rule *r, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	r->first = 1;
	r->last = ULONG_MAX;
	r->chance = 10000;
	if (strcmp(text, "*") == 0)
		return true;
	if (strcmp(end, "%") == 0) {
		r->chance = (unsigned long)(value * 100 + 0.5);
		return value > 0 && value <= 100;
	}
	r->first = (unsigned long)value;
	if (*end == '\0')
		r->last = r->first;
	return value >= 1 && (*end == '\0' || strcmp(end, "+") == 0);
}

static bool
parse_fd(struct rule *r, const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	r->fd_text = text;
	r->fd = strcmp(text, "socket") == 0 ? FD_SOCKET
	      : strcmp(text, "pipe") == 0 ? FD_PIPE
	      : strcmp(text, "file") == 0 ? FD_FILE : (int)fd;
	return r->fd < FD_ANY || (end != text && *end == '\0' && fd >= 0 && fd <= INT_MAX);
}

static bool
parse_rule(struct rule *r, char *text)
{
	char *save, *call = strtok_r(text, ":", &save), *action = strtok_r(NULL, ":", &save);
	char *when = strtok_r(NULL, ":", &save), *fd = strtok_r(NULL, "", &save);
	unsigned c = 0;

	while (call != NULL && c < CALL_COUNT && strcmp(call, names[c]) != 0)
		c++;
	r->call = (enum call)c;
	r->fd = FD_ANY;
	return call != NULL && c < CALL_COUNT && when != NULL && parse_action(r, action)
	    && parse_when(r, when) && (fd == NULL || parse_fd(r, fd));
}

_Noreturn static void
die(const char *what, const char *text)
{
	(void)dprintf(2, "shim: %s: %s\n", what, text);
	_exit(125);
}

static void
configure(const char *program)
{
	const char *list = getenv("SHIM"), *file = getenv("SHIM_COUNT");
	const char *slash = strrchr(program, '/');
	const char *only = getenv("SHIM_PROG"), *number = getenv("SHIM_SEED");
	static char text[8192]; /* the rules point into it */
	char *save, *rule;

	if (only != NULL && strcmp(only, slash != NULL ? slash + 1 : program) != 0)
		return;
	for (unsigned c = 0; c < CALL_COUNT; c++)
		(void)lookup((enum call)c); /* now, not perhaps inside a signal handler */
	seed = number != NULL ? strtoull(number, NULL, 10) : 1;
	if (snprintf(text, sizeof text, "%s", list != NULL ? list : "") >= (int)sizeof text)
		die("too long", "SHIM");
	for (rule = strtok_r(text, ",", &save); rule != NULL; rule = strtok_r(NULL, ",", &save))
		if (rule_count == sizeof rules / sizeof rules[0]
		    || !parse_rule(&rules[rule_count++], rule))
			die("cannot understand, or one rule too many", list + (rule - text));
	if (file != NULL) {
		/* Now, because a sandbox may forbid it later; high, to stay out of the way. */
		int low = hook_open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

		if (low < 0)
			die("cannot write", file);
		if ((count_fd = hook_fcntl(low, F_DUPFD_CLOEXEC, (void *)500)) < 0)
			count_fd = low; /* a small limit of open files */
		else
			(void)hook_close(low);
		count_pid = getpid();
	}
	atomic_store_explicit(&active, true, memory_order_release);
}

__attribute__((destructor)) static void
report(void)
{
	atomic_store(&active, false);
	if (count_fd < 0 || getpid() != count_pid)
		return;
	for (unsigned c = 0; c < CALL_COUNT; c++) {
		if (made[c] > 0)
			(void)dprintf(count_fd, "%s %lu\n", names[c], made[c]);
		if (failed[c] > 0)
			(void)dprintf(count_fd, "%s:failed %lu\n", names[c], failed[c]);
	}
	for (struct rule *r = rules; r < rules + rule_count; r++)
		if (r->fd_text != NULL)
			(void)dprintf(count_fd, "%s:%s %lu\n", names[r->call], r->fd_text, r->seen);
}

/* ---- the start of main ---- */

typedef int main_fn(int, char **, char **);
typedef int start_fn(main_fn *, int, char **, any_fn, any_fn, any_fn, void *);
static main_fn *program_main;

static int
shim_main(int argc, char **argv, char **envp)
{
	configure(argc > 0 ? argv[0] : "");
	return program_main(argc, argv, envp);
}

ALIAS(int, __libc_start_main, (main_fn *m, int argc, char **argv, any_fn init, any_fn fini,
	any_fn loader_fini, void *stack_end))
{
	void *p = dlsym(RTLD_NEXT, "__libc_start_main");
	start_fn *start;

	memcpy(&start, &p, sizeof start);
	program_main = m;
	return start(shim_main, argc, argv, init, fini, loader_fini, stack_end);
}
