/*
 * The parser of options, made from options.def. It knows types, ranges, repetition, exclusion and
 * need; what the options mean is command.c's.
 */
#ifndef SOCKCAT_CLI_OPTIONS_H
#define SOCKCAT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "cli/options.def"
#undef OPTION
	OPTION_COUNT
};

_Static_assert(OPTION_COUNT <= 64, "a set of options is 64 bits");

enum option_type {
	OPTION_FLAG,
	OPTION_TIME,
	OPTION_SIZE,
	OPTION_NUMBER,
	OPTION_TEXT,
	OPTION_CHOICE
};

enum option_group {
	OPTION_CONNECTION,
	OPTION_TRANSPORT,
	OPTION_ADDRESS,
	OPTION_TIMES,
	OPTION_SESSION,
	OPTION_OTHER,
	OPTION_GROUPS
};

enum option_repeat { OPTION_ANY, OPTION_COUNTS, OPTION_ONCE };

struct option_row {
	const char *name;
	char letter;
	enum option_type type;
	const char *argument;
	int64_t least, most;
	enum option_group group;
	enum option_repeat repeat;
	uint64_t excludes, needs; /* sets of 1 << enum option_id */
	const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT];

/* What was given. */
struct options {
	unsigned count[OPTION_COUNT];   /* how often */
	const char *text[OPTION_COUNT]; /* the argument as written, not owned */
	int64_t value[OPTION_COUNT];    /* nanoseconds, bytes, number, index of the word */
	char **operands;                /* what is no option, in order; not owned */
	int operand_count;
};

/* Parses and checks; argv is put in another order. Status 2 (not so) or 3 (the value). */
bool options_parse(struct options *options, int argc, char *argv[], struct fault *fault);

static inline bool
options_has(const struct options *options, enum option_id option)
{
	return options->count[option] > 0;
}

#endif
