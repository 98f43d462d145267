/* Other programs; see sys.h. The same on every system that is POSIX. */
#define _GNU_SOURCE
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where programs are if the environment does not say. */
#define SYS_PATH "/usr/local/bin:/usr/bin:/bin"

/* Beyond the signals that POSIX names there are others; a number that is none is refused. */
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
		/* An empty one is the current folder. */
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
sys_open_terminal(int ends[static 2])
{
	struct winsize size;
	ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
	if (ends[0] == -1)
		return false;
	/* The name is in the library's memory until the next call. */
	const char *name =
		grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0 ? ptsname(ends[0]) : NULL;
	ends[1] = name == NULL ? -1 : sys_open(name, O_RDWR | O_NOCTTY);
	if (ends[1] == -1 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) == -1 ||
		!sys_set_nonblocking(ends[0], true, NULL))
		return false;
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

/* What of the program is not the same with and without a terminal. */
static bool
sys_lead(const struct sys_program *program)
{
	if (!program->terminal)
		return setpgid(0, 0) == 0;
	return setsid() != -1 && ioctl(program->in, TIOCSCTTY, 0) == 0 &&
		dup2(program->out, STDERR_FILENO) != -1;
}

/* Between fork and execve: nothing but calls that are safe in a signal handler. */
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

/* What the child has to say before it is another program: an error, or 0 when it is one. */
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
		/* No handler of ours is to run in the child: it would write into our pipe. */
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
		/* Whatever has become of it, if it could not be asked. */
		(void)kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
			;
		child = -1;
	}
	errno = error;
	return child;
}
