/* Options of file transfers; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/sys.h"
#include "transfer/file_name.h"

/* Cuts the slashes at the end of the name of a directory, which is a word of the command line. */
static void
transfer_trim(const char *path)
{
	char *word = (char *)(uintptr_t)path;
	for (size_t n = strlen(word); n > 1 && word[n - 1] == '/'; n--)
		word[n - 1] = '\0';
}

/* Adds a file or directory, after checks that need no connection. */
static bool
transfer_add(struct config_transfer *transfer, const char *path, struct fault *fault)
{
	struct stat status;
	if (stat(path, &status) == -1)
		return fault_set(fault, STATUS_INPUT, errno, "open %s", path);
	if (S_ISDIR(status.st_mode)) {
		transfer_trim(path);
		if (!archive_is_installed(fault))
			return false;
	}
	const char *name = file_name_of(path);
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return fault_set(
			fault, STATUS_INPUT, 0, "send %s: not a regular file or directory", path);
	const char *refused = file_name_refuse(name, strlen(name));
	if (refused != NULL)
		return fault_set(fault, STATUS_INPUT, 0, "send %s: %s", path, refused);
	for (size_t i = 0; i < transfer->count; i++)
		if (strcmp(file_name_of(transfer->files[i]), name) == 0)
			return fault_set(
				fault, STATUS_USAGE, 0, "send %s: two files have this name", path);
	transfer->files[transfer->count++] = path;
	return true;
}

static bool
transfer_add_all(
	struct config_transfer *transfer, const struct options *options, struct fault *fault)
{
	size_t more = 0;
	while (options->files != NULL && options->files[more] != NULL)
		more++;
	transfer->files = calloc(options->given_count + more, sizeof *transfer->files);
	if (transfer->files == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "options");
	for (size_t i = 0; i < options->given_count; i++)
		if (options->given[i].option == OPTION_send &&
			!transfer_add(transfer, options->given[i].text, fault))
			return false;
	for (size_t i = 0; i < more; i++)
		if (!transfer_add(transfer, options->files[i], fault))
			return false;
	return true;
}

bool
transfer_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct config_transfer *transfer = &config->transfer;
	bool sends = options_has(options, OPTION_send);
	if (!sends && !options_has(options, OPTION_receive))
		return true;
	if (!config->transport->connected || config->transport->message_max > 0)
		return fault_set(fault, STATUS_USAGE, 0, "--%s requires a stream socket",
			sends ? "send" : "receive");
	transfer->resume = options_has(options, OPTION_resume);
	if (options_has(options, OPTION_tar))
		return archive_config(config, options, fault);
	if (!archive_options(transfer, options, fault))
		return false;
	if (sends)
		return transfer_add_all(transfer, options, fault);
	const char *directory = options->text[OPTION_receive];
	if (directory == NULL)
		directory = ".";
	int fd = sys_open_directory(directory);
	if (fd == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "open %s", directory);
	(void)sys_close(&fd);
	transfer->directory = directory;
	transfer->max_size = (uint64_t)options->value[OPTION_max_size];
	transfer->replace = options_has(options, OPTION_force);
	transfer->mask = umask(0);
	(void)umask(transfer->mask);
	return true;
}
