/*
 * The option parser, generated from options.def: types, ranges, repetition, conflicts and
 * requirements. The meaning of options is in command.c.
 */
#ifndef SOCKCAT_CLI_OPTIONS_H
#define SOCKCAT_CLI_OPTIONS_H

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

enum option_class {
#define CLASS(id, ...) OPTION_CLASS_##id,
#include "cli/options.def"
	OPTION_CLASSES
};

enum option_type {
	OPTION_FLAG,
	OPTION_TIME,
	OPTION_SIZE,
	OPTION_DECIMAL,
	OPTION_NUMBER,
	OPTION_ENUM,
	OPTION_OPTIONAL,
	OPTION_TEXT
};

enum option_repeat { OPTION_ANY, OPTION_COUNTS, OPTION_ONCE, OPTION_LIST };

struct option_row {
	const char *id, *name;
	char letter;
	enum option_type type;
	const char *argument;
	int64_t min, max;
	enum option_group group;
	bool brief; /* shown by -h, too */
	enum option_repeat repeat;
	const char *classes, *excludes, *needs; /* ids, separated by spaces */
	enum sys_feature feature;
	const char *help;
};

struct option_class_row {
	const char *id, *excludes;
};

struct option_group_row {
	const char *topic, *title;
};

extern const struct option_row option_rows[OPTION_COUNT];
extern const struct option_class_row option_classes[OPTION_CLASSES];
extern const struct option_group_row option_groups[OPTION_GROUPS];

/* An occurrence of an option with an argument. */
struct option_given {
	enum option_id option;
	const char *text; /* not owned */
	int64_t value;
};

/* A letter that differs from the option rows; the last of a list is 0. */
struct options_letter {
	char letter;
	enum option_id option;
	const char *value; /* the argument of the option; NULL: it follows the letter */
	bool negative;     /* a negative argument has no effect */
	const char *hint;  /* why it is not supported; NULL: it is */
};

struct options {
	const struct options_letter *letters; /* not owned; NULL: none */
	unsigned count[OPTION_COUNT];         /* occurrences */
	const char *as[OPTION_COUNT];         /* the word that implied the option; NULL: itself */
	const char *text[OPTION_COUNT]; /* the last argument as written, not owned; NULL: none */
	int64_t value[OPTION_COUNT];    /* nanoseconds, bytes, number, index in the list */
	struct option_given *given;     /* owned; occurrences with an argument, in order */
	size_t given_count;
	char **operands; /* owned array of borrowed strings, in order */
	int operand_count;
	int dashes;           /* number of operands before "--"; without "--": all */
	char *const *files;   /* the further files of --send after "--", then NULL; NULL: none */
	char *const *program; /* the program after "--" and its arguments, then NULL; NULL: none */
};

/* Parses the command line. Status 2 (usage), 3 (value), 4 (not in this build) or 27. --compat is
 * found even behind a mistake. The caller closes `options` in any case. */
bool options_parse(struct options *options, const struct options_letter *letters, int argc,
	char *argv[], struct fault *fault);
void options_close(struct options *options);

/* An option as written by the user, in three pieces: "--" and a name, "-" and a letter, or the
 * quoted word that implied it. */
struct options_spelling {
	const char *dashes, *name;
	char letter[2];
};

/* `options`: NULL: as if nothing was implied. */
struct options_spelling options_spell(const struct options *options, unsigned option);

/* Sets an option that the word `as` implies. */
void options_imply(struct options *options, enum option_id option, const char *as);

/* Whether the row of one option, or one of its classes, excludes the other. */
bool options_rules_exclude(unsigned option, unsigned other);

/* Check for conflicting options, and for missing required ones. Status 2. */
bool options_rules_conflicts(const struct options *options, struct fault *fault);
bool options_rules_needs(const struct options *options, struct fault *fault);

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

/* Whether the list contains the word, and at which index. */
bool options_find_word(const char *list, char separator, const char *word, int64_t *index);

#endif
