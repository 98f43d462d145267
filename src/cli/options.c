/* The parser of options; see options.h. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/hint.h"

/* Values that getopt_long returns for rows without a letter: above every character. */
#define OPTIONS_LONG 256

/* … and for a word that is no option. */
#define OPTIONS_OPERAND 1

/* The table's words for types and repetition; those that only say what a text is are one here. */
#define TYPE_FLAG OPTION_FLAG
#define TYPE_TIME OPTION_TIME
#define TYPE_SIZE OPTION_SIZE
#define TYPE_COUNT OPTION_DECIMAL
#define TYPE_NUMBER OPTION_NUMBER
#define TYPE_ENUM OPTION_ENUM
#define TYPE_TOPIC OPTION_TOPIC
#define TYPE_PORT OPTION_TEXT
#define TYPE_HOST OPTION_TEXT
#define TYPE_INTERFACE OPTION_TEXT
#define TYPE_USER OPTION_TEXT
#define TYPE_FILE OPTION_TEXT
#define TYPE_PROGRAM OPTION_TEXT
#define TYPE_STRING OPTION_TEXT

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, name, letter, type, argument, least, most, group, repeat, excludes, needs, \
	feature, help) \
	[OPTION_##id] = { #id, name, letter, TYPE_##type, argument, least, most, \
		OPTION_GROUP_##group, OPTION_##repeat, excludes, needs, SYS_FEATURE_##feature, \
		help },
#include "cli/options.def"
};

const struct option_group_row option_groups[OPTION_GROUPS] = {
#define GROUP(id, topic, title) [OPTION_GROUP_##id] = { topic, title },
#include "cli/options.def"
};

bool
options_find_word(const char *list, char separator, const char *word, int64_t *index)
{
	const char separators[] = { separator, '\0' };
	size_t length = strlen(word);
	for (*index = 0; *list != '\0'; (*index)++) {
		size_t span = strcspn(list, separators);
		if (span == length && memcmp(list, word, length) == 0)
			return true;
		list += span + (list[span] == separator);
	}
	return false;
}

/* An option as a user writes it, in three pieces: dashes and a name, a dash and a letter, or an
 * endpoint's scheme, or "--" before a program, in quotes. */
struct options_spelling {
	const char *kind, *dashes, *name;
	char letter[2];
};

static struct options_spelling
options_spell(const struct options *options, unsigned option)
{
	const struct option_row *row = &option_rows[option];
	struct options_spelling spelling = { "option", "--", row->name, { '\0', '\0' } };
	if (options != NULL && options->as[option] != NULL) {
		spelling.kind = options->as[option][0] == '-' ? "argument" : "endpoint";
		spelling.dashes = "'";
		spelling.name = options->as[option];
		spelling.letter[0] = '\'';
	} else if (row->name[0] == '\0') {
		spelling.dashes = "-";
		spelling.letter[0] = row->letter;
	}
	return spelling;
}

static bool
options_fault(unsigned option, enum status status, struct fault *fault, const char *cause)
{
	struct options_spelling as = options_spell(NULL, option);
	return fault_set(
		fault, status, 0, "option %s%s%s: %s", as.dashes, as.name, as.letter, cause);
}

static bool
options_bad_value(unsigned option, const char *text, struct fault *fault)
{
	static const char *const wanted[] = {
		[OPTION_FLAG] = "",
		[OPTION_TIME] = "a time such as 2, 0.5, 500ms, 3m or 1h",
		[OPTION_SIZE] = "a size such as 4096, 64k, 10M or 1G",
		[OPTION_DECIMAL] = "a number",
		[OPTION_NUMBER] = "a number such as 16 or 0x10",
		[OPTION_ENUM] = "one of ",
		[OPTION_TOPIC] = "",
		[OPTION_TEXT] = "something",
	};
	const struct option_row *row = &option_rows[option];
	struct options_spelling as = options_spell(NULL, option);
	return fault_set(fault, STATUS_VALUE, 0, "option %s%s%s '%s': it has to be %s%s", as.dashes,
		as.name, as.letter, text, wanted[row->type],
		row->type == OPTION_ENUM ? row->argument : "");
}

static bool
options_out_of_range(unsigned option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	struct options_spelling as = options_spell(NULL, option);
	int64_t most = row->most / CLOCK_SECOND;
	if (row->type != OPTION_TIME)
		return fault_set(fault, STATUS_VALUE, 0,
			"option %s%s%s '%s': it has to be from %" PRId64 " to %" PRId64, as.dashes,
			as.name, as.letter, text, row->least, row->most);
	if (most > PARSE_TIME_MAX)
		most = PARSE_TIME_MAX;
	if (row->least > 1)
		return fault_set(fault, STATUS_VALUE, 0,
			"option %s%s%s '%s': it has to be from %" PRId64 " ms to %" PRId64
			" seconds",
			as.dashes, as.name, as.letter, text, row->least / CLOCK_MILLISECOND, most);
	return fault_set(fault, STATUS_VALUE, 0,
		"option %s%s%s '%s': it has to be %s %" PRId64 " seconds", as.dashes, as.name,
		as.letter, text, row->least > 0 ? "more than 0 and at most" : "from 0 to", most);
}

static bool
options_take_value(struct options *options, unsigned option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	int64_t *value = &options->value[option];
	enum parse parsed = PARSE_OK;
	uint64_t number = 0;

	switch (row->type) {
	case OPTION_FLAG:
	case OPTION_TOPIC:
		return true;
	case OPTION_TEXT:
		return text[0] != '\0' || options_bad_value(option, text, fault);
	case OPTION_ENUM:
		return options_find_word(row->argument, '|', text, value) ||
			options_bad_value(option, text, fault);
	case OPTION_TIME:
		parsed = parse_time(text, value);
		break;
	case OPTION_SIZE:
		parsed = parse_size(text, INT64_MAX, &number);
		*value = (int64_t)number;
		break;
	case OPTION_DECIMAL:
		parsed = parse_count(text, INT64_MAX, &number);
		*value = (int64_t)number;
		break;
	case OPTION_NUMBER:
		parsed = parse_number(text, INT64_MAX, &number);
		*value = (int64_t)number;
		break;
	}
	if (parsed == PARSE_BAD)
		return options_bad_value(option, text, fault);
	if (parsed == PARSE_RANGE || *value < row->least || *value > row->most)
		return options_out_of_range(option, text, fault);
	return true;
}

static bool
options_take(struct options *options, unsigned option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	if (!sys_has(row->feature))
		return options_fault(
			option, STATUS_MISSING, fault, "this sockcat was built without it");
	if (row->repeat == OPTION_ONCE && options->count[option] > 0)
		return options_fault(option, STATUS_USAGE, fault, "it was given twice");
	if (text != NULL && !options_take_value(options, option, text, fault))
		return false;
	options->count[option]++;
	options->text[option] = text;
	if (text == NULL)
		return true;
	options->given[options->given_count++] = (struct option_given){
		(enum option_id)option,
		text,
		options->value[option],
	};
	return true;
}

void
options_imply(struct options *options, enum option_id option, const char *as)
{
	if (options->count[option]++ == 0)
		options->as[option] = as;
}

/* A row whose number is what getopt_long returned. */
static bool
options_find(int code, unsigned *option)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (code == OPTIONS_LONG + (int)i ||
			(option_rows[i].letter != 0 && code == option_rows[i].letter)) {
			*option = i;
			return true;
		}
	}
	return false;
}

/* "--a, --b or --c": the options that the list names. */
static void
options_name_all(const struct options *options, const char *list, struct fault *fault)
{
	unsigned left = 0;
	int64_t index;
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		left += options_find_word(list, ' ', option_rows[i].id, &index);
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (!options_find_word(list, ' ', option_rows[i].id, &index))
			continue;
		struct options_spelling as = options_spell(options, i);
		left--;
		fault_add(fault, "%s%s%s%s", as.dashes, as.name, as.letter,
			left > 1           ? ", "
				: left > 0 ? " or "
					   : "");
	}
}

bool
options_check_conflicts(const struct options *options, struct fault *fault)
{
	int64_t index;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		for (unsigned j = 0; j < OPTION_COUNT; j++) {
			if (options->count[i] == 0 || options->count[j] == 0 ||
				!options_find_word(
					option_rows[i].excludes, ' ', option_rows[j].id, &index))
				continue;
			struct options_spelling one = options_spell(options, i);
			struct options_spelling other = options_spell(options, j);
			return fault_set(fault, STATUS_USAGE, 0,
				"%s %s%s%s: it cannot be used together with %s%s%s", one.kind,
				one.dashes, one.name, one.letter, other.dashes, other.name,
				other.letter);
		}
	}
	return true;
}

bool
options_check_needs(const struct options *options, struct fault *fault)
{
	int64_t index;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		bool needed = options->count[i] > 0 && option_rows[i].needs[0] != '\0';
		for (unsigned j = 0; j < OPTION_COUNT && needed; j++)
			needed = options->count[j] == 0 ||
				!options_find_word(
					option_rows[i].needs, ' ', option_rows[j].id, &index);
		if (!needed)
			continue;
		struct options_spelling as = options_spell(options, i);
		(void)fault_set(fault, STATUS_USAGE, 0, "%s %s%s%s: it is of use only with ",
			as.kind, as.dashes, as.name, as.letter);
		options_name_all(options, option_rows[i].needs, fault);
		return false;
	}
	return true;
}

/* What getopt_long did not like. */
static bool
options_reject(int code, const char *word, struct fault *fault)
{
	unsigned option;
	bool known = options_find(optopt, &option);
	if (code == ':' && known)
		return options_fault(option, STATUS_USAGE, fault, "it needs an argument");
	if (known)
		return options_fault(option, STATUS_USAGE, fault, "it takes no argument");
	if (optopt >= '0' && optopt <= '9')
		return fault_set(
			fault, STATUS_VALUE, 0, "port '%s': it goes from 0 to 65535", word);
	if (optopt > 0 && optopt < OPTIONS_LONG)
		return hint_letter(optopt, fault);
	return hint_name(word, fault);
}

/* The rows in the two forms that getopt_long wants. */
static void
options_describe(
	struct option names[static OPTION_COUNT + 1], char letters[static 2 * OPTION_COUNT + 3])
{
	size_t name_count = 0, letter_count = 0;
	/* What is no option is told too, in its place, as OPTIONS_OPERAND. */
	letters[letter_count++] = '-';
	letters[letter_count++] = ':';
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		int argument = row->type == OPTION_FLAG ? no_argument
			: row->type == OPTION_TOPIC     ? optional_argument
							: required_argument;
		if (row->name[0] != '\0')
			names[name_count++] =
				(struct option){ row->name, argument, NULL, OPTIONS_LONG + (int)i };
		if (row->letter != 0)
			letters[letter_count++] = row->letter;
		if (row->letter != 0 && argument == required_argument)
			letters[letter_count++] = ':';
	}
	names[name_count] = (struct option){ NULL, 0, NULL, 0 };
	letters[letter_count] = '\0';
}

/* The word that getopt_long has just looked at: the next one as long as letters are left in it. */
static const char *
options_word(int argc, char *argv[], int previous)
{
	if (optind < argc && argv[optind][0] == '-' && argv[optind][1] == optopt)
		return argv[optind];
	return argv[optind > previous ? optind - 1 : previous];
}

bool
options_parse(struct options *options, int argc, char *argv[], struct fault *fault)
{
	struct option names[OPTION_COUNT + 1];
	char letters[2 * OPTION_COUNT + 3];

	memset(options, 0, sizeof *options);
	/* A word can hold one argument at most, its own or the next word. */
	options->given = calloc((size_t)argc + 1, sizeof *options->given);
	options->operands = calloc((size_t)argc + 1, sizeof *options->operands);
	if (options->given == NULL || options->operands == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "options");
	options_describe(names, letters);
	opterr = 0;
	/* 0, not 1: also forgets the middle of a word where an earlier parse may have stopped. */
	optind = 0;
	for (;;) {
		int previous = optind > 0 ? optind : 1;
		int code = getopt_long(argc, argv, letters, names, NULL);
		unsigned option;
		if (code == -1)
			break;
		if (code == OPTIONS_OPERAND) {
			options->operands[options->operand_count++] = optarg;
			continue;
		}
		bool good = options_find(code, &option)
			? options_take(options, option, optarg, fault)
			: options_reject(code, options_word(argc, argv, previous), fault);
		if (good)
			continue;
		/* Wherever it stands: it says how to report what was wrong. */
		while ((code = getopt_long(argc, argv, letters, names, NULL)) != -1)
			if (code == OPTIONS_LONG + OPTION_compat)
				(void)options_take(options, OPTION_compat, optarg, fault);
		return false;
	}
	options->dashes = options->operand_count;
	while (optind < argc)
		options->operands[options->operand_count++] = argv[optind++];
	return true;
}

void
options_close(struct options *options)
{
	free(options->given);
	free(options->operands);
	options->given = NULL;
	options->operands = NULL;
}
