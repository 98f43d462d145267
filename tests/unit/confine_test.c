/* What a process cannot do after sys_confine, whatever its code tries. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sys/sys.h"

/* The status of the child where the kernel cannot confine. */
#define CONFINE_TEST_NONE 77

static bool
confine_test_refused(int result)
{
	return result == -1 && errno == EACCES;
}

/* A TCP connection to a port without a listener: refused by the kernel's rule, not by the peer. An
 * older kernel has no such rule. */
static bool
confine_test_no_network(void)
{
	const struct sockaddr_in peer = { .sin_family = AF_INET,
		.sin_port = htons(1),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool good = fd == -1 ||
		(connect(fd, (const struct sockaddr *)&peer, sizeof peer) == -1 &&
			(errno == EACCES || errno == ECONNREFUSED));
	(void)sys_close(&fd);
	return good;
}

static void
confine_test_child(int directory)
{
	char *const words[] = { (char *)(uintptr_t) "true", NULL };
	char *const none[] = { NULL };
	if (!sys_confine(directory, false)) {
		CHECK(errno == ENOSYS || errno == EOPNOTSUPP);
		_exit(check_failed == 0 ? CONFINE_TEST_NONE : 1);
	}
	CHECK(confine_test_refused(open("/etc/passwd", O_RDONLY)));
	CHECK(confine_test_refused(openat(directory, "../outside", O_WRONLY | O_CREAT, 0600)));
	CHECK(confine_test_refused(openat(directory, "link", O_RDONLY)));
	CHECK(confine_test_refused(openat(directory, "old", O_RDONLY)));
	CHECK(confine_test_refused(mkfifoat(directory, "fifo", 0600)));
	CHECK(confine_test_refused(mkdirat(directory, "../outside", 0700)));
	CHECK(confine_test_refused(symlinkat("x", directory, "../outside")));
	CHECK(confine_test_refused(execve("/bin/true", words, none)));
	CHECK(linkat(AT_FDCWD, "/etc/passwd", directory, "hard", 0) == -1 &&
		(errno == EACCES || errno == EXDEV));
	CHECK(confine_test_no_network());
	int fd = openat(directory, "new", O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd != -1 && write(fd, "x", 1) == 1 && ftruncate(fd, 10) == 0);
	CHECK(renameat(directory, "new", directory, "newer") == 0);
	CHECK(mkdirat(directory, "sub", 0700) == 0);
	CHECK(linkat(directory, "newer", directory, "same", 0) == 0);
	CHECK(symlinkat("newer", directory, "symbolic") == 0);
	_exit(check_failed == 0 ? 0 : 1);
}

int
main(void)
{
	char path[] = "/tmp/confine_test.XXXXXX";
	char *const remove[] = { (char *)(uintptr_t) "rm", (char *)(uintptr_t) "-rf", path, NULL };
	int status = -1;
	CHECK(mkdtemp(path) != NULL);
	int directory = open(path, O_RDONLY | O_DIRECTORY);
	int fd = openat(directory, "old", O_WRONLY | O_CREAT, 0600);
	CHECK(directory != -1 && fd != -1 && symlinkat("/etc/passwd", directory, "link") == 0);
	pid_t child = fork();
	if (child == 0)
		confine_test_child(directory);
	CHECK(child != -1 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CONFINE_TEST_NONE);
	if (WEXITSTATUS(status) == CONFINE_TEST_NONE)
		(void)printf("confine: this system cannot confine a process\n");
	if ((child = fork()) == 0) {
		(void)execv("/bin/rm", remove);
		_exit(127);
	}
	(void)waitpid(child, NULL, 0);
	return check_verdict("confine");
}
