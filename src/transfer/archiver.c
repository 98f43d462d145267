/* Running sockcat-archive; see archiver.h. */
#include "transfer/archiver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "plugin/plugin.h"
#include "program/child.h"
#include "sys/sys.h"

/* The capacity of the pipe to or from it. */
#define ARCHIVER_PIPE (512 * 1024)

/* The most text that is kept of a line. */
#define ARCHIVER_TEXT ((size_t)64 * 1024)

/* What each of its lines begins with. */
#define ARCHIVER_PREFIX ARCHIVER_PROGRAM ": "

extern char **environ;

static char *
archiver_word(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Makes the command line: verb, an option, the options, "--" and the path. The caller frees it. */
static char **
archiver_words(const char *verb, const char *option, char *const *options, const char *path)
{
	size_t count = 0;
	while (options[count] != NULL)
		count++;
	char **words = calloc(count + 6, sizeof *words);
	if (words == NULL)
		return NULL;
	words[0] = archiver_word(ARCHIVER_PROGRAM);
	words[1] = archiver_word(verb);
	words[2] = archiver_word(option);
	for (size_t i = 0; i < count; i++)
		words[3 + i] = options[i];
	words[3 + count] = archiver_word("--");
	words[4 + count] = archiver_word(path);
	return words;
}

/* Starts the program with these descriptors, of which `report` is that of the pipe to read. */
static bool
archiver_spawn(struct archiver *archiver, char *const *words, const struct sys_program *program,
	bool *ready, struct fault *fault)
{
	struct sys_program started = *program;
	char *path = plugin_program(ARCHIVER_PROGRAM, ARCHIVER_PROGRAM, fault);
	if (path == NULL)
		return false;
	started.path = path;
	started.argv = words;
	started.environment = environ;
	pid_t pid = sys_spawn(&started);
	int error = errno;
	free(path);
	errno = error;
	if (pid != -1) {
		event_emit(&(struct event){ .kind = EVENT_program_started,
			.object = ARCHIVER_PROGRAM,
			.pid = (uint64_t)pid });
		archiver->child = child_adopt(pid, ARCHIVER_PROGRAM, ready);
	}
	return archiver->child != NULL ||
		fault_set(fault, STATUS_MEMORY, pid == -1 ? errno : ENOMEM, "run %s",
			ARCHIVER_PROGRAM);
}

/* Starts it with a pipe to its standard error, one to its standard input or output (0 or 1), and
 * `other` as the other one of these. */
static bool
archiver_start(struct archiver *archiver, char *const *words, int end, int other, bool *ready,
	struct fault *fault)
{
	int archive[2] = { -1, -1 }, report[2] = { -1, -1 };
	bool made = words != NULL && sys_pipe(archive) && sys_pipe(report) &&
		sys_set_nonblocking(archive[end], false, NULL) &&
		sys_set_nonblocking(report[1], false, NULL);
	const struct sys_program program = { .in = end == 0 ? archive[0] : other,
		.out = end == 1 ? archive[1] : other,
		.report = report[1] };
	if (made)
		sys_enlarge_pipe(archive[end], ARCHIVER_PIPE);
	else
		(void)fault_set(fault, STATUS_MEMORY, errno, "run %s", ARCHIVER_PROGRAM);
	bool good = made && archiver_spawn(archiver, words, &program, ready, fault);
	(void)sys_close(&archive[end]);
	(void)sys_close(&report[1]);
	archiver->archive = archive[1 - end];
	archiver->report = report[0];
	return good;
}

bool
archiver_create(struct archiver *archiver, char *const *options, const char *path, bool *ready,
	struct fault *fault)
{
	/* The names in the archive are below the directory, also if `path` is a link to it. */
	size_t size = strlen(path) + sizeof "/.";
	char option[32], *inside = malloc(size);
	(void)snprintf(option, sizeof option, "--left-out=%d", (int)ARCHIVER_LEFT_OUT);
	*archiver = ARCHIVER_NONE;
	if (inside != NULL)
		(void)snprintf(inside, size, "%s/.", path);
	char **words = inside != NULL ? archiver_words("create", option, options, inside) : NULL;
	int none = sys_open("/dev/null", O_RDONLY);
	bool good = none != -1 ? archiver_start(archiver, words, 1, none, ready, fault)
			       : fault_set(fault, STATUS_MEMORY, errno, "open /dev/null");
	(void)sys_close(&none);
	free(words);
	free(inside);
	return good;
}

bool
archiver_extract(struct archiver *archiver, char *const *options, int directory, bool fresh,
	bool *ready, struct fault *fault)
{
	char **words = archiver_words("extract", fresh ? "--fresh" : "--force", options, "-");
	*archiver = ARCHIVER_NONE;
	bool good = archiver_start(archiver, words, 0, directory, ready, fault);
	free(words);
	return good;
}

/* --- its standard error --- */

/* A line without the name of the program. */
static const char *
archiver_line(const char *text)
{
	size_t length = strlen(ARCHIVER_PREFIX);
	return strncmp(text, ARCHIVER_PREFIX, length) == 0 ? text + length : text;
}

static void
archiver_emit(const char *text)
{
	event_emit(&(struct event){ .kind = EVENT_program_message,
		.object = ARCHIVER_PROGRAM,
		.detail = archiver_line(text) });
}

/* Reports all complete lines but the last one, which may be the cause of a failure. */
static void
archiver_take_lines(struct archiver *archiver)
{
	char *end = memchr(archiver->text, '\n', archiver->length);
	while (end != NULL) {
		size_t used = (size_t)(end - archiver->text) + 1;
		if (used == archiver->length)
			return;
		*end = '\0';
		archiver_emit(archiver->text);
		archiver->length -= used;
		memmove(archiver->text, archiver->text + used, archiver->length);
		end = memchr(archiver->text, '\n', archiver->length);
	}
}

void
archiver_listen(struct archiver *archiver)
{
	ssize_t n = -1;
	if (archiver->report == -1)
		return;
	if (archiver->text == NULL)
		archiver->text = malloc(ARCHIVER_TEXT + 1);
	do {
		/* The rest of a line that is too long takes the place of its end. */
		if (archiver->length == ARCHIVER_TEXT)
			archiver->length--;
		struct iovec piece = { archiver->text + archiver->length,
			ARCHIVER_TEXT - archiver->length };
		if (archiver->text != NULL)
			n = sys_readv(archiver->report, &piece, 1);
		if (n > 0) {
			archiver->length += (size_t)n;
			archiver_take_lines(archiver);
		}
	} while (n > 0);
	if (n == 0 || !sys_would_block(errno))
		(void)sys_close(&archiver->report);
}

/* The status of the program; one that is not of the table means that it did not end by itself. */
static enum status
archiver_status(int status)
{
	return fault_status_text((uint64_t)status) != NULL ? (enum status)status : STATUS_INTERNAL;
}

enum io
archiver_end(struct archiver *archiver, struct fault *fault)
{
	archiver_listen(archiver);
	if (archiver->report != -1 || !archiver->child->ended)
		return IO_AGAIN;
	enum status status = archiver_status(archiver->child->status);
	size_t length = archiver->length;
	if (length > 0 && archiver->text[length - 1] == '\n')
		length--;
	if (archiver->text != NULL)
		archiver->text[length] = '\0';
	archiver->length = 0;
	if (status != STATUS_OK)
		(void)fault_set(fault, status, 0, "%s",
			length > 0 ? archiver_line(archiver->text)
				   : ARCHIVER_PROGRAM " has failed");
	else if (length > 0)
		archiver_emit(archiver->text);
	return status == STATUS_OK || status == ARCHIVER_LEFT_OUT ? IO_OK : IO_FAIL;
}

void
archiver_close(struct archiver *archiver)
{
	(void)sys_close(&archiver->archive);
	(void)sys_close(&archiver->report);
	/* At the end of its input it removes what it has extracted. */
	if (archiver->child != NULL)
		child_leave(archiver->child, true, -1, clock_now());
	free(archiver->text);
	*archiver = ARCHIVER_NONE;
}
