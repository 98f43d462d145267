/*
 * Fuzzes the command line: arguments separated by NUL bytes. The result is a config or one fault of
 * status 2, 3, 4, 6, 26, 27, 45, 126 or 127, without reading out of bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

#define COMMAND_FUZZ_WORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Whether a word would print help or version, which is not tested here. */
static bool
command_fuzz_prints(const char *word)
{
	return word[0] == '-' &&
		(strchr(word, 'h') != NULL || strchr(word, 'V') != NULL ||
			strncmp(word, "--ve", 4) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *argv[COMMAND_FUZZ_WORDS + 2] = { (char[]){ "sockcat" } };
	struct fault fault = FAULT_NONE;
	struct config config = { .mode = NULL };
	int argc = 1;
	char *words = malloc(n + 1);
	if (words == NULL)
		abort();
	if (n > 0)
		memcpy(words, bytes, n);
	words[n] = '\0';
	for (size_t at = 0; at <= n && argc <= COMMAND_FUZZ_WORDS; at += strlen(words + at) + 1) {
		if (command_fuzz_prints(words + at))
			goto out;
		argv[argc++] = words + at;
	}
	enum command result = command_parse(&config, argc, argv, false, &fault);
	if ((result == COMMAND_BAD) != fault_is_set(&fault))
		abort();
	if (result == COMMAND_RUN && (config.mode == NULL || config.transport == NULL))
		abort();
	if (result == COMMAND_BAD && fault.status != STATUS_USAGE && fault.status != STATUS_VALUE &&
		fault.status != STATUS_MISSING && fault.status != STATUS_RESOLVE &&
		fault.status != STATUS_INPUT && fault.status != STATUS_BIND &&
		fault.status != STATUS_MEMORY && fault.status != STATUS_NOT_EXECUTABLE &&
		fault.status != STATUS_NOT_FOUND)
		abort();
	config_close(&config);
out:
	fault_clear(&fault);
	free(words);
	return 0;
}
