/* --in, --out and --offset: files instead of standard input and output; see command.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "filter/file_pattern.h"
#include "stream/partial.h"
#include "stream/stdio.h"
#include "sys/sys.h"

/* Opens a file as standard input or output; a FIFO waits for its other end, as in a shell. */
static bool
files_replace(int standard, const char *path, struct stat *status, struct fault *fault)
{
	bool input = standard == STDIN_FILENO;
	enum status failure = input ? STATUS_INPUT : STATUS_OUTPUT;
	int fd = sys_open(path, (input ? O_RDONLY : O_WRONLY) | O_NOCTTY);
	bool good = fd != -1 && fstat(fd, status) == 0;
	if (good && S_ISDIR(status->st_mode)) {
		good = false;
		errno = EISDIR;
	}
	good = good && dup2(fd, standard) != -1;
	if (!good)
		(void)fault_set(fault, failure, errno, "open %s", path);
	(void)sys_close(&fd);
	return good;
}

static bool
files_in(struct config *config, const struct options *options, struct fault *fault)
{
	struct stat status;
	const char *path = options->text[OPTION_in];
	bool own_files = config->keep_open && config->files.out != NULL;
	if (path == NULL || strcmp(path, "-") == 0) {
		/* Files are for what clients send; standard input is not shared among them. */
		config->no_input |= own_files;
		return true;
	}
	if (!files_replace(STDIN_FILENO, path, &status, fault))
		return false;
	if (own_files && !S_ISREG(status.st_mode))
		return fault_set(fault, STATUS_INPUT, 0,
			"open %s: with -k and --out it has to be a regular file", path);
	config->files.in = path;
	return true;
}

/* Whether the file can be written, before a peer is known. `any`: it may exist, as that is
 * replaced, or as the name will be another one. *found: what there is of it. A directory whose name
 * differs for each client is not checked. */
static bool
files_check(const char *path, bool any, struct partial_found *found, struct fault *fault)
{
	const char *slash = strrchr(path, '/');
	*found = (struct partial_found){ .size = 0 };
	if (slash != NULL && memchr(path, '%', (size_t)(slash - path)) != NULL)
		return true;
	char *name = file_pattern_expand(path, 1, "");
	if (name == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--out");
	bool good = partial_check(NULL, name, any, found, fault);
	free(name);
	return good;
}

/* Whether the path is a link to the file that standard output is, as /dev/stdout: a file of that
 * name would replace the link. */
static bool
files_is_output(const char *path, const struct stat *status)
{
	struct stat link, output;
	return lstat(path, &link) == 0 && S_ISLNK(link.st_mode) &&
		fstat(STDOUT_FILENO, &output) == 0 && output.st_dev == status->st_dev &&
		output.st_ino == status->st_ino;
}

/* Whether the part of an earlier run can be continued: it has to be known before a peer is. */
static bool
files_can_resume(const struct config *config, bool varies, struct fault *fault)
{
	if (!config->transport->connected || config->transport->message_max > 0)
		return fault_set(fault, STATUS_USAGE, 0, "--resume requires a stream socket");
	return (!config->keep_open && !varies) ||
		fault_set(fault, STATUS_USAGE, 0,
			"--resume with --out requires one file: no -k, no %%n and no %%a");
}

static bool
files_out(struct config *config, const struct options *options, struct fault *fault)
{
	struct stat status;
	bool numbered, addressed;
	struct config_files *files = &config->files;
	const char *path = options->text[OPTION_out];
	if (path == NULL)
		return true;
	bool resume = options_has(options, OPTION_resume), standard = strcmp(path, "-") == 0;
	bool exists = !standard && stat(path, &status) == 0;
	standard = standard || (exists && files_is_output(path, &status));
	if (resume && (standard || (exists && !S_ISREG(status.st_mode))))
		return fault_set(
			fault, STATUS_USAGE, 0, "--resume with --out requires a regular file");
	if (standard)
		return true;
	files->file.replace = options_has(options, OPTION_force);
	files->file.resume = resume;
	if (!file_pattern_check(path, &numbered, &addressed))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --out '%s': expected %%n, %%a or %%%% after a percent sign", path);
	if (resume && !files_can_resume(config, numbered || addressed, fault))
		return false;
	/* A device or FIFO is written as it is. */
	if (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
		files->device = path;
		return files_replace(STDOUT_FILENO, path, &status, fault);
	}
	if (config->keep_open && !numbered && !addressed)
		return fault_set(fault, STATUS_USAGE, 0,
			"--out with -k requires a name with %%n or %%a: one file for each client");
	files->out = path;
	struct partial_found found;
	bool good = files_check(
		path, files->file.replace || config->keep_open || addressed, &found, fault);
	files->file.offset = good && resume ? found.size : 0;
	return good;
}

/* Reads and discards bytes of standard input, which is not a file; *left of them. */
static bool
files_discard(uint64_t *left, struct fault *fault)
{
	unsigned char bytes[16384];
	bool nonblocking = false;
	ssize_t n = 1;
	(void)sys_set_nonblocking(STDIN_FILENO, false, &nonblocking);
	while (*left > 0 && n > 0) {
		struct iovec piece = { bytes, *left < sizeof bytes ? (size_t)*left : sizeof bytes };
		n = sys_readv(STDIN_FILENO, &piece, 1);
		if (n == -1)
			(void)fault_set(fault, STATUS_INPUT, errno, "read standard input");
		else
			*left -= (uint64_t)n;
	}
	if (nonblocking)
		(void)sys_set_nonblocking(STDIN_FILENO, true, &nonblocking);
	return n != -1;
}

bool
files_skip(const struct config *config, const struct options *options, struct fault *fault)
{
	uint64_t offset = (uint64_t)options->value[OPTION_offset], left = offset;
	const char *name = config->files.in != NULL ? config->files.in : "standard input";
	struct stat status;
	if (offset == 0)
		return true;
	if (stdio_keeps_messages(STDIN_FILENO))
		return fault_set(
			fault, STATUS_INPUT, 0, "read %s: --offset requires a stream", name);
	if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
		uint64_t rest = sys_rest_of_file(STDIN_FILENO);
		uint64_t skipped = offset < rest ? offset : rest;
		left -= skipped;
		if (lseek(STDIN_FILENO, (off_t)skipped, SEEK_CUR) == -1)
			return fault_set(fault, STATUS_INPUT, errno, "read %s", name);
	} else if (!files_discard(&left, fault)) {
		return false;
	}
	return left == 0 ||
		fault_set(fault, STATUS_INPUT, 0,
			"read %s: it has only %" PRIu64 " of the %" PRIu64 " bytes of --offset",
			name, offset - left, offset);
}

bool
files_config(struct config *config, const struct options *options, struct fault *fault)
{
	return files_out(config, options, fault) && files_in(config, options, fault);
}
