/* Running programs; see sys.h. */
#define _GNU_SOURCE
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/pollset.h"

/* The default of PATH. */
#define SYS_PATH "/usr/local/bin:/usr/bin:/bin"

/* Above the highest signal number of any system; sigaction(2) rejects invalid numbers. */
#define SYS_SIGNALS 128

static bool
sys_is_program(const char *path)
{
	struct stat status;
	if (stat(path, &status) == -1)
		return false;
	errno = EACCES;
	return S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *
sys_find_program(const char *name)
{
	const char *folder = getenv("PATH");
	bool there = false;
	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return sys_is_program(name) ? strdup(name) : NULL;
	if (folder == NULL)
		folder = SYS_PATH;
	for (;;) {
		size_t length = strcspn(folder, ":");
		size_t size = length + strlen(name) + sizeof "./";
		char *path = malloc(size);
		if (path == NULL)
			return NULL;
		/* An empty element is the current directory. */
		(void)snprintf(path, size, "%.*s/%s", length > 0 ? (int)length : 1,
			length > 0 ? folder : ".", name);
		if (sys_is_program(path))
			return path;
		there |= errno == EACCES;
		free(path);
		if (folder[length] == '\0')
			break;
		folder += length + 1;
	}
	errno = there ? EACCES : ENOENT;
	return NULL;
}

bool
sys_open_terminal(int ends[static 2], bool raw)
{
	struct winsize size;
	struct termios modes;
	ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
	if (ends[0] == -1)
		return false;
	/* ptsname(3) returns static memory: valid until its next call. */
	const char *name =
		grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0 ? ptsname(ends[0]) : NULL;
	ends[1] = name == NULL ? -1 : sys_open(name, O_RDWR | O_NOCTTY);
	if (ends[1] == -1 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) == -1 ||
		!sys_set_nonblocking(ends[0], true, NULL))
		return false;
	if (raw) {
		if (tcgetattr(ends[1], &modes) == -1)
			return false;
		cfmakeraw(&modes);
		if (tcsetattr(ends[1], TCSANOW, &modes) == -1)
			return false;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0)
			return ioctl(ends[0], TIOCSWINSZ, &size) == 0;
	return true;
}

int
sys_duplicate(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

bool
sys_can_open(size_t count)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur > INT_MAX)
		return true;
	/* Descriptors are allocated from the lowest number: start at the end. */
	for (int end = (int)limit.rlim_cur; end > 0 && count > 0;) {
		int n = count < POLLSET_CLOSED ? (int)count : POLLSET_CLOSED;
		n = n < end ? n : end;
		end -= n;
		count -= pollset_closed(end, n);
	}
	errno = EMFILE;
	return count == 0;
}

/* Starts a new session. In a mere process group the program would keep the controlling terminal and
 * be stopped by SIGTTIN and SIGTTOU when it uses it. */
static bool
sys_lead(const struct sys_program *program)
{
	return setsid() != -1 &&
		(!program->terminal ||
			(ioctl(program->in, TIOCSCTTY, 0) == 0 &&
				dup2(program->out, STDERR_FILENO) != -1));
}

/* Runs between fork and execve: only async-signal-safe calls. */
static void
sys_become(const struct sys_program *program, int report, pid_t parent)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	(void)sigemptyset(&none);
	for (int signal = 1; signal < SYS_SIGNALS; signal++)
		(void)sigaction(signal, &action, NULL);
	if (sys_lead(program) && dup2(program->in, STDIN_FILENO) != -1 &&
		dup2(program->out, STDOUT_FILENO) != -1 &&
		(program->report == -1 || dup2(program->report, STDERR_FILENO) != -1) &&
		(program->processes == 0 || sys_limit_processes(program->processes))) {
		sys_end_with_parent(SIGTERM);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		if (getppid() != parent)
			_exit(0);
		(void)execve(program->path, program->argv, program->environment);
	}
	int error = errno;
	ssize_t written = write(report, &error, sizeof error);
	(void)written;
	_exit(0);
}

/* Waits for the execve(2) of the child; returns 0 or its error. */
static int
sys_await_exec(int report)
{
	int error = 0;
	struct iovec piece = { &error, sizeof error };
	ssize_t n = sys_readv(report, &piece, 1);
	return n == -1 ? errno : n == 0 ? 0 : error;
}

pid_t
sys_spawn(const struct sys_program *program)
{
	int report[2];
	sigset_t all, old;
	if (!sys_pipe(report))
		return -1;
	pid_t parent = getpid(), child = -1;
	(void)sigfillset(&all);
	int error = sys_set_nonblocking(report[0], false, NULL) ? 0 : errno;
	if (error == 0) {
		/* Block signals: a handler in the child would write to the parent's signal pipe. */
		(void)sigprocmask(SIG_SETMASK, &all, &old);
		child = fork();
		if (child == 0)
			sys_become(program, report[1], parent);
		error = child == -1 ? errno : 0;
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
	}
	(void)sys_close(&report[1]);
	if (child != -1)
		error = sys_await_exec(report[0]);
	(void)sys_close(&report[0]);
	if (child != -1 && error != 0) {
		/* Reading the error may have failed: the child may run. */
		(void)kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
			;
		child = -1;
	}
	errno = error;
	return child;
}
