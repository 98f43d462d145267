/*
 * The parts of the measurement that have to be small and fast, used for every tool alike.
 *
 *   drive measure RESULT COMMAND…        runs it; writes its process ID to RESULT at the start, and at
 *                                        the end CPU seconds, peak KiB, bytes written
 *   drive turns COUNT LENGTH COMMAND…    COUNT requests of LENGTH bytes through its standard input and
 *                                        output; prints the median and the 99th percentile in ns
 *   drive starts COUNT COMMAND…          runs it COUNT times; prints milliseconds from start to exit
 *   drive count BYTES                    reads standard input; status 0 if it has BYTES bytes
 *   drive feed LENGTH                    writes standard input as messages to a packet socket
 *
 * Written in C because the peak memory of a child includes that of its parent before exec.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static volatile sig_atomic_t drive_child;

static uint64_t
drive_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
drive_forward(int number)
{
	int saved = errno;
	(void)kill(drive_child, number);
	errno = saved;
}

/* The bytes that a process wrote with write(2) and the like (proc(5), io); it may be a zombie. */
static uint64_t
drive_written(pid_t pid)
{
	char line[128];
	uint64_t bytes = 0;
	(void)snprintf(line, sizeof line, "/proc/%d/io", (int)pid);
	FILE *account = fopen(line, "re");
	if (account == NULL)
		return 0;
	while (fgets(line, sizeof line, account) != NULL)
		if (strncmp(line, "wchar: ", 7) == 0)
			bytes = strtoull(line + 7, NULL, 10);
	(void)fclose(account);
	return bytes;
}

static double
drive_seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int
drive_measure(const char *path, char **command)
{
	FILE *result = fopen(path, "we");
	if (result == NULL)
		err(126, "%s", path);
	sigset_t term, before;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, &before);
	/* The tool waits until RESULT has its number, which then is there before it listens; it cannot
	 * write that itself: the bytes would count as the tool's. */
	int gate[2];
	if (pipe2(gate, O_CLOEXEC) == -1)
		err(126, "pipe");
	pid_t pid = fork();
	if (pid == -1)
		err(126, "fork");
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		char go;
		if (read(gate[0], &go, 1) != 1)
			_exit(126);
		(void)execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	/* Do not keep a pipe open. */
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	drive_child = pid;
	(void)signal(SIGTERM, drive_forward);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)fprintf(result, "%d\n", (int)pid);
	if (fflush(result) != 0 || write(gate[1], "", 1) != 1)
		err(126, "%s", path);
	siginfo_t info;
	struct rusage usage;
	int status;
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR)
		continue;
	uint64_t written = drive_written(pid);
	if (wait4(pid, &status, 0, &usage) != pid)
		err(126, "wait");
	(void)fprintf(result, "%.6f %ld %ju\n",
		drive_seconds(usage.ru_utime) + drive_seconds(usage.ru_stime), usage.ru_maxrss,
		(uintmax_t)written);
	(void)fclose(result);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
drive_turn(int out, int in, size_t length, uint32_t turn)
{
	char request[4096], reply[4096];
	memset(request, (int)('a' + turn % 26), length);
	memcpy(request, &turn, sizeof turn);
	if (write(out, request, length) != (ssize_t)length)
		err(1, "write");
	for (size_t got = 0; got < length;) {
		ssize_t n = read(in, reply + got, length - got);
		if (n <= 0)
			errx(1, "no reply to request %u", turn);
		got += (size_t)n;
	}
	if (memcmp(request, reply, length) != 0)
		errx(1, "a wrong reply to request %u", turn);
}

static int
drive_compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static int
drive_turns(size_t count, size_t length, char **command)
{
	int out[2], in[2];
	if (count == 0 || length < sizeof(uint32_t) || length > 4096)
		errx(2, "no such count or length");
	if (pipe2(out, O_CLOEXEC) == -1 || pipe2(in, O_CLOEXEC) == -1)
		err(1, "pipe");
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, out[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, in[1], STDOUT_FILENO);
	pid_t pid;
	int error = posix_spawnp(&pid, command[0], &files, NULL, command, environ);
	if (error != 0)
		errx(127, "%s: %s", command[0], strerror(error));
	(void)close(out[0]);
	(void)close(in[1]);

	uint64_t *took = calloc(count, sizeof *took);
	if (took == NULL)
		err(1, "memory");
	/* The first turns wait for the connection. */
	for (uint32_t turn = 0; turn < 100; turn++)
		drive_turn(out[1], in[0], length, turn);
	for (size_t turn = 0; turn < count; turn++) {
		uint64_t began = drive_now();
		drive_turn(out[1], in[0], length, (uint32_t)turn);
		took[turn] = drive_now() - began;
	}
	qsort(took, count, sizeof *took, drive_compare);
	printf("%ju %ju\n", (uintmax_t)took[count / 2], (uintmax_t)took[count - 1 - count / 100]);
	free(took);
	(void)close(out[1]);
	int status;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

static int
drive_starts(unsigned count, char **command)
{
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	uint64_t began = drive_now();
	for (unsigned i = 0; i < count; i++) {
		pid_t pid;
		int status;
		int error = posix_spawnp(&pid, command[0], &files, NULL, command, environ);
		if (error != 0)
			errx(127, "%s: %s", command[0], strerror(error));
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			errx(1, "%s did not exit", command[0]);
	}
	printf("%.4f\n", (double)(drive_now() - began) / 1e6 / count);
	return 0;
}

static int
drive_count(uint64_t wanted)
{
	static char data[128 * 1024];
	uint64_t bytes = 0;
	ssize_t n;
	while ((n = read(STDIN_FILENO, data, sizeof data)) > 0)
		bytes += (uint64_t)n;
	if (n == -1)
		err(1, "read");
	if (bytes != wanted)
		errx(1, "%ju of %ju bytes arrived", (uintmax_t)bytes, (uintmax_t)wanted);
	return 0;
}

static int
drive_feed(size_t length)
{
	static char data[1024 * 1024];
	if (length == 0 || length > sizeof data)
		errx(2, "no such length");
	size_t whole = sizeof data / length * length;
	ssize_t n;
	while ((n = read(STDIN_FILENO, data, whole)) > 0)
		for (size_t sent = 0; sent < (size_t)n; sent += length)
			if (write(STDOUT_FILENO, data + sent, length) != (ssize_t)length)
				err(1, "write");
	return n == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned long number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	if (argc > 3 && strcmp(what, "measure") == 0)
		return drive_measure(argv[2], argv + 3);
	if (argc > 4 && strcmp(what, "turns") == 0)
		return drive_turns(number, strtoul(argv[3], NULL, 10), argv + 4);
	if (argc > 3 && number > 0 && strcmp(what, "starts") == 0)
		return drive_starts((unsigned)number, argv + 3);
	if (argc == 3 && strcmp(what, "count") == 0)
		return drive_count(number);
	if (argc == 3 && strcmp(what, "feed") == 0)
		return drive_feed(number);
	errx(2, "see the top of drive.c");
}
