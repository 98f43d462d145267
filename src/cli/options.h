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
#include "sys/sys.h"

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "cli/options.def"
	OPTION_COUNT
};

enum option_group {
#define GROUP(id, ...) OPTION_GROUP_##id,
#include "cli/options.def"
	OPTION_GROUPS
};

enum option_type {
	OPTION_FLAG,
	OPTION_TIME,
	OPTION_SIZE,
	OPTION_DECIMAL,
	OPTION_NUMBER,
	OPTION_ENUM,
	OPTION_TOPIC,
	OPTION_TEXT
};

enum option_repeat { OPTION_ANY, OPTION_COUNTS, OPTION_ONCE, OPTION_LIST };

struct option_row {
	const char *id, *name;
	char letter;
	enum option_type type;
	const char *argument;
	int64_t least, most;
	enum option_group group;
	enum option_repeat repeat;
	const char *excludes, *needs; /* ids, separated by spaces */
	enum sys_feature feature;
	const char *help;
};

struct option_group_row {
	const char *topic, *title;
};

extern const struct option_row option_rows[OPTION_COUNT];
extern const struct option_group_row option_groups[OPTION_GROUPS];

/* One option with an argument, as given. */
struct option_given {
	enum option_id option;
	const char *text; /* not owned */
	int64_t value;
};

/* What was given. */
struct options {
	unsigned count[OPTION_COUNT];   /* how often */
	const char *as[OPTION_COUNT];   /* what it was written as, if not as itself */
	const char *text[OPTION_COUNT]; /* the last argument as written, not owned; NULL: none */
	int64_t value[OPTION_COUNT];    /* nanoseconds, bytes, number, index of the word */
	struct option_given *given;     /* owned: all that have an argument, in order */
	size_t given_count;
	char **operands; /* owned: what is no option, in order; not the words */
	int operand_count;
	int dashes;           /* so many of them stood before "--"; all if there was none */
	char *const *program; /* what "--" has made a program of, ending in NULL; NULL: nothing */
};

/* Parses. Status 2 (not so), 3 (the value), 4 (not in this build) or
 * 27. To be closed in any case. */
bool options_parse(struct options *options, int argc, char *argv[], struct fault *fault);
void options_close(struct options *options);

/* Takes an option as given that something else, written as `as`, stands for. */
void options_imply(struct options *options, enum option_id option, const char *as);

/* Whether what was given goes together, and whether it has what it needs; status 2. */
bool options_check_conflicts(const struct options *options, struct fault *fault);
bool options_check_needs(const struct options *options, struct fault *fault);

static inline bool
options_has(const struct options *options, enum option_id option)
{
	return options->count[option] > 0;
}

/* Whether a program is to be run. */
static inline bool
options_runs_program(const struct options *options)
{
	return options_has(options, OPTION_exec) || options_has(options, OPTION_sh_exec);
}

/* Whether the word is one of those in the list, which the character separates; and which one. */
bool options_find_word(const char *list, char separator, const char *word, int64_t *index);

#endif
