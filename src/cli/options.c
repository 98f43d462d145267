/* The parser of options; see options.h. */
#include "cli/options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

/* Values that getopt_long returns for rows without a letter: above every character. */
#define OPTIONS_LONG 256

#define SET(id) (UINT64_C(1) << OPTION_##id)
#define OPTIONS_REPEAT_ANY OPTION_ANY
#define OPTIONS_REPEAT_COUNT OPTION_COUNTS
#define OPTIONS_REPEAT_ONCE OPTION_ONCE

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION( \
	id, name, letter, type, argument, least, most, group, repeat, excludes, needs, help) \
	[OPTION_##id] = { name, letter, OPTION_##type, argument, least, most, OPTION_##group, \
		OPTIONS_REPEAT_##repeat, excludes, needs, help },
#include "cli/options.def"
#undef OPTION
};

/* The option as a user writes it. */
static const char *
options_spell(enum option_id option, char letter[static 3])
{
	const struct option_row *row = &option_rows[option];
	letter[0] = '-';
	letter[1] = row->letter;
	letter[2] = '\0';
	return row->name[0] != '\0' ? row->name : letter;
}

/* Two dashes in front of a long name; a letter has its own. */
#define OPTIONS_DASHES(option) (option_rows[option].name[0] != '\0' ? "--" : "")

static bool
options_fault(enum option_id option, enum status status, struct fault *fault, const char *cause)
{
	char letter[3];
	const char *name = options_spell(option, letter);
	return fault_set(fault, status, 0, "option %s%s: %s", OPTIONS_DASHES(option), name, cause);
}

static bool
options_bad_value(enum option_id option, const char *text, struct fault *fault)
{
	static const char *const wanted[] = {
		[OPTION_FLAG] = "",
		[OPTION_TIME] = "a time such as 2, 0.5, 500ms, 3m or 1h",
		[OPTION_SIZE] = "a size such as 4096, 64k, 10M or 1G",
		[OPTION_NUMBER] = "a number",
		[OPTION_TEXT] = "a text",
		[OPTION_CHOICE] = "one of ",
	};
	const struct option_row *row = &option_rows[option];
	char letter[3];
	const char *name = options_spell(option, letter);
	return fault_set(fault, STATUS_VALUE, 0, "option %s%s '%s': it has to be %s%s",
		OPTIONS_DASHES(option), name, text, wanted[row->type],
		row->type == OPTION_CHOICE ? row->argument : "");
}

static bool
options_out_of_range(enum option_id option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	char letter[3];
	const char *name = options_spell(option, letter);
	if (row->type == OPTION_TIME)
		return fault_set(fault, STATUS_VALUE, 0,
			"option %s%s '%s': it has to be %s0 and at most %" PRId64 " seconds",
			OPTIONS_DASHES(option), name, text, row->least > 0 ? "more than " : "",
			PARSE_TIME_MAX);
	return fault_set(fault, STATUS_VALUE, 0,
		"option %s%s '%s': it has to be from %" PRId64 " to %" PRId64,
		OPTIONS_DASHES(option), name, text, row->least, row->most);
}

/* The place of the word among those that '|' separates; false if it is not there. */
static bool
options_find_word(const char *words, const char *word, int64_t *index)
{
	size_t length = strlen(word);
	for (*index = 0; *words != '\0'; (*index)++) {
		size_t span = strcspn(words, "|");
		if (span == length && memcmp(words, word, length) == 0)
			return true;
		words += span + (words[span] == '|');
	}
	return false;
}

static bool
options_take_value(
	struct options *options, enum option_id option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	int64_t *value = &options->value[option];
	enum parse parsed = PARSE_OK;
	uint64_t number = 0;

	options->text[option] = text;
	switch (row->type) {
	case OPTION_FLAG:
	case OPTION_TEXT:
		return true;
	case OPTION_CHOICE:
		return options_find_word(row->argument, text, value) ||
			options_bad_value(option, text, fault);
	case OPTION_TIME:
		parsed = parse_time(text, value);
		break;
	case OPTION_SIZE:
		parsed = parse_size(text, INT64_MAX, &number);
		*value = (int64_t)number;
		break;
	case OPTION_NUMBER:
		parsed = parse_count(text, INT64_MAX, &number);
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
options_take(struct options *options, enum option_id option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	if (row->repeat == OPTION_ONCE && options->count[option] > 0)
		return options_fault(option, STATUS_USAGE, fault, "it was given twice");
	options->count[option]++;
	return text == NULL || options_take_value(options, option, text, fault);
}

/* A row whose number is what getopt_long returned. */
static bool
options_find(int code, enum option_id *option)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (code == OPTIONS_LONG + (int)i ||
			(option_rows[i].letter != 0 && code == option_rows[i].letter)) {
			*option = (enum option_id)i;
			return true;
		}
	}
	return false;
}

static bool
options_check(const struct options *options, struct fault *fault)
{
	uint64_t given = 0;
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		given |= (uint64_t)(options->count[i] > 0) << i;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		char one[3], other[3];
		if ((given >> i & 1) == 0)
			continue;
		for (unsigned j = 0; j < OPTION_COUNT; j++) {
			if ((row->excludes & given) >> j & 1)
				return fault_set(fault, STATUS_USAGE, 0,
					"option %s%s: it cannot be used together with %s%s",
					OPTIONS_DASHES(i), options_spell((enum option_id)i, one),
					OPTIONS_DASHES(j), options_spell((enum option_id)j, other));
			if (row->needs != 0 && (row->needs & given) == 0 && (row->needs >> j & 1))
				return fault_set(fault, STATUS_USAGE, 0,
					"option %s%s: it is of use only with %s%s",
					OPTIONS_DASHES(i), options_spell((enum option_id)i, one),
					OPTIONS_DASHES(j), options_spell((enum option_id)j, other));
		}
	}
	return true;
}

/* What getopt_long did not like. */
static bool
options_reject(int code, int previous, char *argv[], struct fault *fault)
{
	enum option_id option;
	bool known = options_find(optopt, &option);
	if (code == ':' && known)
		return options_fault(option, STATUS_USAGE, fault, "it needs an argument");
	if (known && option_rows[option].type == OPTION_FLAG)
		return options_fault(option, STATUS_USAGE, fault, "it takes no argument");
	if (optopt >= '0' && optopt <= '9')
		return fault_set(
			fault, STATUS_VALUE, 0, "port '-%c': it goes from 0 to 65535", optopt);
	if (optopt > 0 && optopt < OPTIONS_LONG)
		return fault_set(fault, STATUS_USAGE, 0,
			"option -%c: there is no such option (see --help)", optopt);
	return fault_set(fault, STATUS_USAGE, 0, "option %s: there is no such option (see --help)",
		argv[previous]);
}

bool
options_parse(struct options *options, int argc, char *argv[], struct fault *fault)
{
	struct option names[OPTION_COUNT + 1];
	char letters[2 * OPTION_COUNT + 2];
	size_t name_count = 0, letter_count = 0;

	memset(options, 0, sizeof *options);
	letters[letter_count++] = ':';
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		int argument = row->type == OPTION_FLAG ? no_argument : required_argument;
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

	opterr = 0;
	/* 0, not 1: also forgets the middle of a word where an earlier parse may have stopped. */
	optind = 0;
	for (;;) {
		int previous = optind > 0 ? optind : 1;
		int code = getopt_long(argc, argv, letters, names, NULL);
		enum option_id option;
		if (code == -1)
			break;
		if (!options_find(code, &option))
			return options_reject(
				code, optind > previous ? optind - 1 : previous, argv, fault);
		if (!options_take(options, option, optarg, fault))
			return false;
	}
	options->operands = argv + optind;
	options->operand_count = argc - optind;
	return options_check(options, fault);
}
