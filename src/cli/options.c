/* The option parser; see options.h. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/suggest.h"

/* The code of row i in getopt_long is OPTIONS_LONG + i, above any character. */
#define OPTIONS_LONG 256

/* The code of an operand, which getopt_long defines. */
#define OPTIONS_OPERAND 1

/* The other names of options. */
static const struct {
	const char *name;
	enum option_id option;
} options_aliases[] = {
#define ALIAS(id, name) { name, OPTION_##id },
#include "cli/options.def"
};

#define OPTIONS_ALIASES (sizeof options_aliases / sizeof options_aliases[0])
#define OPTIONS_NAMES (OPTION_COUNT + OPTIONS_ALIASES + 1)

/* The most characters for all letters: two for each row and each letter that differs. */
#define OPTIONS_LETTERS (2 * OPTION_COUNT + 2 * UCHAR_MAX + 3)

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

struct options_spelling
options_spell(const struct options *options, unsigned option)
{
	const struct option_row *row = &option_rows[option];
	struct options_spelling spelling = { "--", row->name, { '\0', '\0' } };
	if (options != NULL && options->as[option] != NULL) {
		/* The word is another option, or an operand. */
		bool quoted = options->as[option][0] != '-';
		spelling.dashes = quoted ? "'" : "";
		spelling.name = options->as[option];
		spelling.letter[0] = quoted ? '\'' : '\0';
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
		fault, status, 0, "option %s%s%s %s", as.dashes, as.name, as.letter, cause);
}

static bool
options_bad_value(unsigned option, const char *text, struct fault *fault)
{
	static const char *const wanted[] = {
		[OPTION_FLAG] = "",
		[OPTION_TIME] = "a time such as 2, 0.5, 500ms, 3m or 1m30s",
		[OPTION_SIZE] = "a size such as 4096, 64k, 10M or 1G",
		[OPTION_DECIMAL] = "a number",
		[OPTION_NUMBER] = "a number such as 16 or 0x10",
		[OPTION_ENUM] = "one of ",
		[OPTION_OPTIONAL] = "",
		[OPTION_TEXT] = "a value",
	};
	const struct option_row *row = &option_rows[option];
	struct options_spelling as = options_spell(NULL, option);
	return fault_set(fault, STATUS_VALUE, 0, "invalid %s%s%s '%s': expected %s%s", as.dashes,
		as.name, as.letter, text, wanted[row->type],
		row->type == OPTION_ENUM ? row->argument : "");
}

static bool
options_out_of_range(unsigned option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	struct options_spelling as = options_spell(NULL, option);
	int64_t max = row->max / CLOCK_SECOND;
	if (row->type != OPTION_TIME)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid %s%s%s '%s': expected a number from %" PRId64 " to %" PRId64,
			as.dashes, as.name, as.letter, text, row->min, row->max);
	if (max > PARSE_TIME_MAX)
		max = PARSE_TIME_MAX;
	if (row->min > 1)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid %s%s%s '%s': expected a time from %" PRId64 " ms to %" PRId64
			" seconds",
			as.dashes, as.name, as.letter, text, row->min / CLOCK_MILLISECOND, max);
	return fault_set(fault, STATUS_VALUE, 0,
		"invalid %s%s%s '%s': expected a time %s %" PRId64 " seconds", as.dashes, as.name,
		as.letter, text, row->min > 0 ? "above 0 and up to" : "from 0 to", max);
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
	case OPTION_OPTIONAL:
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
	if (parsed == PARSE_RANGE || *value < row->min || *value > row->max)
		return options_out_of_range(option, text, fault);
	return true;
}

static bool
options_take(struct options *options, unsigned option, const char *text, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	if (!sys_has(row->feature))
		return options_fault(
			option, STATUS_MISSING, fault, "is not supported by this build");
	if (row->repeat == OPTION_ONCE && options->count[option] > 0)
		return options_fault(option, STATUS_USAGE, fault, "given twice");
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

/* The row of a letter among those that differ; NULL: none. */
static const struct options_letter *
options_letter(const struct options_letter *letters, int code)
{
	for (; letters != NULL && letters->letter != 0; letters++)
		if (letters->letter == code)
			return letters;
	return NULL;
}

/* Finds the row of a code of getopt_long. */
static bool
options_find(const struct options_letter *letters, int code, unsigned *option)
{
	const struct options_letter *letter = options_letter(letters, code);
	if (letter != NULL) {
		*option = letter->option;
		return letter->hint == NULL;
	}
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (code == OPTIONS_LONG + (int)i ||
			(option_rows[i].letter != 0 && code == option_rows[i].letter)) {
			*option = i;
			return true;
		}
	}
	return false;
}

/* Takes an option that getopt_long has found. */
static bool
options_take_code(struct options *options, int code, unsigned option, struct fault *fault)
{
	const struct options_letter *letter = options_letter(options->letters, code);
	const char *text = letter != NULL && letter->value != NULL ? letter->value : optarg;
	if (letter != NULL && letter->negative && text[0] == '-')
		return true;
	return options_take(options, option, text, fault);
}

/* Reports an error of getopt_long. */
static bool
options_reject(
	const struct options_letter *letters, int code, const char *word, struct fault *fault)
{
	unsigned option;
	const struct options_letter *letter = options_letter(letters, optopt);
	bool known = options_find(letters, optopt, &option);
	if (code == ':' && known)
		return options_fault(option, STATUS_USAGE, fault, "requires an argument");
	if (known)
		return options_fault(option, STATUS_USAGE, fault, "takes no argument");
	if (optopt >= '0' && optopt <= '9')
		return fault_set(
			fault, STATUS_VALUE, 0, "invalid port '%s': expected 0 to 65535", word);
	if (optopt > 0 && optopt < OPTIONS_LONG)
		return suggest_letter(optopt, letter != NULL ? letter->hint : NULL, fault);
	return suggest_name(word, fault);
}

/* Adds a letter, and ':' if an argument follows it. */
static size_t
options_add_letter(char *letters, size_t count, char letter, bool argument)
{
	letters[count++] = letter;
	if (argument)
		letters[count++] = ':';
	return count;
}

/* How getopt_long takes the argument. */
static int
options_argument(const struct option_row *row)
{
	return row->type == OPTION_FLAG        ? no_argument
		: row->type == OPTION_OPTIONAL ? optional_argument
					       : required_argument;
}

/* Converts the rows for getopt_long. */
static void
options_describe(const struct options_letter *others, struct option names[static OPTIONS_NAMES],
	char letters[static OPTIONS_LETTERS])
{
	size_t name_count = 0, letter_count = 0;
	/* '-': return operands in order, as OPTIONS_OPERAND. */
	letters[letter_count++] = '-';
	letters[letter_count++] = ':';
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		int argument = options_argument(row);
		if (row->name[0] != '\0')
			names[name_count++] =
				(struct option){ row->name, argument, NULL, OPTIONS_LONG + (int)i };
		if (row->letter != 0 && options_letter(others, row->letter) == NULL)
			letter_count = options_add_letter(
				letters, letter_count, row->letter, argument == required_argument);
	}
	for (size_t i = 0; i < OPTIONS_ALIASES; i++) {
		enum option_id option = options_aliases[i].option;
		names[name_count++] = (struct option){ options_aliases[i].name,
			options_argument(&option_rows[option]), NULL, OPTIONS_LONG + (int)option };
	}
	for (; others != NULL && others->letter != 0; others++)
		if (others->hint == NULL)
			letter_count = options_add_letter(letters, letter_count, others->letter,
				others->value == NULL &&
					option_rows[others->option].type != OPTION_FLAG);
	names[name_count] = (struct option){ NULL, 0, NULL, 0 };
	letters[letter_count] = '\0';
}

/* The argument that getopt_long has just parsed: the next one while letters are left in it. */
static const char *
options_word(int argc, char *argv[], int previous)
{
	if (optind < argc && argv[optind][0] == '-' && argv[optind][1] == optopt)
		return argv[optind];
	return argv[optind > previous ? optind - 1 : previous];
}

bool
options_parse(struct options *options, const struct options_letter *others, int argc, char *argv[],
	struct fault *fault)
{
	struct option names[OPTIONS_NAMES];
	char letters[OPTIONS_LETTERS];

	memset(options, 0, sizeof *options);
	options->letters = others;
	/* Each element of argv adds one option with an argument at most. */
	options->given = calloc((size_t)argc + 1, sizeof *options->given);
	options->operands = calloc((size_t)argc + 1, sizeof *options->operands);
	if (options->given == NULL || options->operands == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "options");
	options_describe(others, names, letters);
	opterr = 0;
	/* 0, not 1, also resets the position inside an argument (getopt(3), NOTES). */
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
		bool good = options_find(others, code, &option)
			? options_take_code(options, code, option, fault)
			: options_reject(others, code, options_word(argc, argv, previous), fault);
		if (good)
			continue;
		/* --compat determines what the letters mean: look for it in the rest too. */
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
