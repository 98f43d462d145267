/* Options that run a program; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

#define PROGRAM_SHELL "/bin/sh"

/* Copies the arguments and finds the file. False with errno. */
static bool
program_copy(struct config_program *program, const char *file, char *const *words)
{
	size_t count = 0;
	while (words[count] != NULL)
		count++;
	program->argv = calloc(count + 1, sizeof *program->argv);
	program->path = sys_find_program(file);
	if (program->argv == NULL || program->path == NULL)
		return false;
	memcpy(program->argv, words, count * sizeof *words);
	return true;
}

bool
program_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct config_program *program = &config->program;
	char *name = (char *)(uintptr_t)options->text[OPTION_exec];
	char *command = (char *)(uintptr_t)options->text[OPTION_sh_exec];
	char *alone[] = { name, NULL };
	char *shell[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", command, NULL };
	if (!options_runs_program(options) && options->program == NULL)
		return true;
	program->status = options_has(options, OPTION_exec_status);
	program->terminal = options_has(options, OPTION_pty);
	program->raw = options->text[OPTION_pty] != NULL;
	if (program->raw && strcmp(options->text[OPTION_pty], "raw") != 0)
		return fault_set(fault, STATUS_VALUE, 0, "invalid --pty '%s': expected raw",
			options->text[OPTION_pty]);
	program->processes = (uint64_t)options->value[OPTION_max_processes];
	/* Do not expose the environment to clients. */
	program->clear = !options_has(options, OPTION_keep_env) &&
		(options_has(options, OPTION_clear_env) || options_has(options, OPTION_listen));
	bool found = false;
	if (command != NULL) {
		program->name = command;
		found = program_copy(program, PROGRAM_SHELL, shell);
	} else {
		char *const *words = name != NULL ? alone : options->program;
		program->name = words[0];
		found = program_copy(program, words[0], words);
	}
	if (found)
		return true;
	enum status status = errno == ENOMEM          ? STATUS_MEMORY
		: errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND
						      : STATUS_NOT_EXECUTABLE;
	(void)fault_set(fault, status, errno, "run %s", program->name);
	if (name != NULL && strpbrk(name, " \t") != NULL)
		fault_add(fault, " (to run it with arguments write -- PROG ARG..., or -c '%s')",
			name);
	return false;
}
