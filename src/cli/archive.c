/* Options of directories as archives (--tar); see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plugin/plugin.h"
#include "sys/sys.h"

#define ARCHIVE_PROGRAM "sockcat-archive"

/* The most words of options. */
#define ARCHIVE_OPTIONS 6

/* A word of the program's command line, which is not changed. */
static char *
archive_word(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Adds the options for the program: it checks their values. Returns the end of the words. */
static char **
archive_add_options(char **words, const struct options *options)
{
	static const struct {
		unsigned option;
		const char *name;
	} passed[] = {
		{ OPTION_preserve, "--preserve" },
		{ OPTION_max_size, "--max-size" },
		{ OPTION_max_entries, "--max-entries" },
	};
	for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
		if (!options_has(options, passed[i].option))
			continue;
		*words++ = archive_word(passed[i].name);
		*words++ = archive_word(options->text[passed[i].option]);
	}
	return words;
}

bool
archive_options(
	struct config_transfer *transfer, const struct options *options, struct fault *fault)
{
	transfer->tree_options = calloc(ARCHIVE_OPTIONS + 1, sizeof *transfer->tree_options);
	if (transfer->tree_options == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "options");
	(void)archive_add_options(transfer->tree_options, options);
	return true;
}

bool
archive_is_installed(struct fault *fault)
{
	char *path = plugin_program(ARCHIVE_PROGRAM, ARCHIVE_PROGRAM, fault);
	free(path);
	return path != NULL;
}

/* Adds the files to send. False and a fault if one is not there. */
static bool
archive_add_files(char **words, const struct options *options, struct fault *fault)
{
	char **first = words;
	struct stat status;
	for (size_t i = 0; i < options->given_count; i++)
		if (options->given[i].option == OPTION_send)
			*words++ = archive_word(options->given[i].text);
	for (char *const *file = options->files; file != NULL && *file != NULL; file++)
		*words++ = *file;
	for (; first < words; first++)
		if (lstat(*first, &status) == -1)
			return fault_set(fault, STATUS_INPUT, errno, "open %s", *first);
	return true;
}

/* Checks the directory to extract to. */
static bool
archive_add_directory(char **words, const struct options *options, struct fault *fault)
{
	const char *directory = options->text[OPTION_receive];
	if (directory == NULL)
		directory = ".";
	/* For the program "-" is standard output. */
	*words = archive_word(strcmp(directory, "-") == 0 ? "./-" : directory);
	int fd = sys_open_directory(*words);
	if (fd == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "open %s", *words);
	(void)sys_close(&fd);
	return true;
}

bool
archive_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct config_program *program = &config->program;
	bool sends = options_has(options, OPTION_send);
	/* The name, the verb, seven words of options, "--", and NULL. */
	size_t count = 16 + options->given_count;
	while (options->files != NULL && options->files[count - 16 - options->given_count] != NULL)
		count++;
	program->name = ARCHIVE_PROGRAM;
	program->status = true;
	/* The sender shall not take an archive that was refused for one that was extracted. */
	program->strict = !sends;
	program->argv = calloc(count, sizeof *program->argv);
	if (program->argv == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "options");
	program->argv[0] = archive_word(ARCHIVE_PROGRAM);
	program->argv[1] = archive_word(sends ? "create" : "extract");
	char **words = archive_add_options(program->argv + 2, options);
	if (options_has(options, OPTION_force))
		*words++ = archive_word("--force");
	*words++ = archive_word("--");
	if (sends ? !archive_add_files(words, options, fault)
		  : !archive_add_directory(words, options, fault))
		return false;
	program->path = plugin_program(ARCHIVE_PROGRAM, ARCHIVE_PROGRAM, fault);
	return program->path != NULL;
}
