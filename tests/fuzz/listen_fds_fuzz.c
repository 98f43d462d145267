/*
 * Fuzzes the environment of a service manager: LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and the
 * name or number of fd://, separated by NUL bytes. All descriptors are listening sockets. The
 * result is the named descriptors, or a status.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/listen_fds.h"
#include "net/resolve.h"

#define LISTEN_FDS_FUZZ_WORDS 4

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Makes every descriptor that can be passed a listening socket. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	(void)argc, (void)argv;
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener == -1 || bind(listener, (struct sockaddr *)&any, sizeof any) == -1 ||
		listen(listener, 1) == -1)
		abort();
	for (int fd = STDERR_FILENO + 1; fd <= STDERR_FILENO + RESOLVE_MAX; fd++)
		if (fcntl(fd, F_GETFD) == -1 && dup2(listener, fd) != fd)
			abort();
	return 0;
}

/* How many of the names are equal to this one, by a simple loop. */
static size_t
listen_fds_fuzz_named(const char *names, size_t count, const char *name)
{
	size_t found = 0, length = strlen(name);
	for (size_t i = 0; i < count; i++) {
		size_t size = strcspn(names, ":");
		found += size == length && strncmp(names, name, size) == 0;
		if (names[size] == '\0')
			break;
		names += size + 1;
	}
	return found;
}

static void
listen_fds_fuzz_config(const struct listen_fds *passed, char *descriptor)
{
	struct operands operands = { .passed = descriptor == NULL, .descriptor = descriptor };
	char *argv[] = { (char[]){ "sockcat" }, (char[]){ "-l" }, NULL };
	struct options options;
	struct fault fault = FAULT_NONE;
	struct config config;
	memset(&config, 0, sizeof config);
	if (!options_parse(&options, NULL, 2, argv, &fault))
		abort();
	bool good = listen_fds_config(&config, &options, &operands, passed, &fault);
	if (good == fault_is_set(&fault) || (good && config.listen_fds_count == 0) ||
		config.listen_fds_count > RESOLVE_MAX)
		abort();
	if (!good && fault.status != STATUS_VALUE && fault.status != STATUS_LISTEN)
		abort();
	size_t count = passed->count != NULL ? strtoul(passed->count, NULL, 10) : 0;
	for (size_t i = 0; i < config.listen_fds_count; i++)
		if (good &&
			(config.inherited[i] < 0 ||
				(i > 0 && config.inherited[i] <= config.inherited[i - 1])))
			abort();
	if (good && descriptor == NULL && config.listen_fds_count != count)
		abort();
	if (good && descriptor != NULL && descriptor[strspn(descriptor, "0123456789")] != '\0' &&
		config.listen_fds_count != listen_fds_fuzz_named(passed->names, count, descriptor))
		abort();
	fault_clear(&fault);
	options_close(&options);
	config_close(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const names[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };
	char *words[LISTEN_FDS_FUZZ_WORDS] = { NULL }, number[32];
	struct listen_fds passed;
	size_t count = 0;
	char *text = malloc(n + 1);
	if (text == NULL)
		abort();
	if (n > 0)
		memcpy(text, bytes, n);
	text[n] = '\0';
	for (size_t at = 0; at <= n && count < LISTEN_FDS_FUZZ_WORDS; at += strlen(text + at) + 1)
		words[count++] = text + at;
	(void)snprintf(number, sizeof number, "%ld", (long)getpid());
	for (size_t i = 0; i < 3; i++) {
		/* "-": not set; "$": this process. */
		if (words[i] == NULL || strcmp(words[i], "-") == 0)
			(void)unsetenv(names[i]);
		else
			(void)setenv(names[i], strcmp(words[i], "$") == 0 ? number : words[i], 1);
	}
	listen_fds_look(&passed);
	/* A count of zero, however written, means no descriptors. */
	if (passed.count != NULL && passed.count[0] != '\0' &&
		passed.count[strspn(passed.count, "0")] == '\0')
		abort();
	if (passed.count != NULL)
		listen_fds_fuzz_config(&passed, NULL);
	if (words[3] != NULL)
		listen_fds_fuzz_config(&passed, words[3]);
	free(text);
	return 0;
}
