/* What options exclude and require; see options.h. */
#include "cli/options.h"

#include <string.h>

/* Whether a list of ids names the option or one of its classes. */
static bool
options_rules_names(const char *list, unsigned option)
{
	const struct option_row *row = &option_rows[option];
	int64_t index;
	if (options_find_word(list, ' ', row->id, &index))
		return true;
	for (unsigned i = 0; i < OPTION_CLASSES; i++)
		if (options_find_word(row->classes, ' ', option_classes[i].id, &index) &&
			options_find_word(list, ' ', option_classes[i].id, &index))
			return true;
	return false;
}

bool
options_rules_exclude(unsigned option, unsigned other)
{
	const struct option_row *row = &option_rows[option];
	int64_t index;
	if (option == other)
		return false;
	if (options_rules_names(row->excludes, other))
		return true;
	for (unsigned i = 0; i < OPTION_CLASSES; i++)
		if (options_find_word(row->classes, ' ', option_classes[i].id, &index) &&
			options_rules_names(option_classes[i].excludes, other))
			return true;
	return false;
}

/* Adds the options that `option` needs: "--a, --b or --c", those of its own group first. */
static void
options_rules_name_needs(const struct options *options, unsigned option, struct fault *fault)
{
	const struct option_row *row = &option_rows[option];
	unsigned left = 0;
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		left += options_rules_names(row->needs, i);
	for (unsigned turn = 0; turn < 2 * OPTION_COUNT; turn++) {
		unsigned i = turn % OPTION_COUNT;
		bool own = option_rows[i].group == row->group;
		if (own != (turn < OPTION_COUNT) || !options_rules_names(row->needs, i))
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
options_rules_conflicts(const struct options *options, struct fault *fault)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		for (unsigned j = 0; j < OPTION_COUNT; j++) {
			if (options->count[i] == 0 || options->count[j] == 0 ||
				!options_rules_exclude(i, j))
				continue;
			struct options_spelling one = options_spell(options, i);
			struct options_spelling other = options_spell(options, j);
			return fault_set(fault, STATUS_USAGE, 0, "%s%s%s conflicts with %s%s%s",
				one.dashes, one.name, one.letter, other.dashes, other.name,
				other.letter);
		}
	}
	return true;
}

bool
options_rules_needs(const struct options *options, struct fault *fault)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		bool needed = options->count[i] > 0 && option_rows[i].needs[0] != '\0';
		for (unsigned j = 0; j < OPTION_COUNT && needed; j++)
			needed = options->count[j] == 0 ||
				!options_rules_names(option_rows[i].needs, j);
		if (!needed)
			continue;
		struct options_spelling as = options_spell(options, i);
		(void)fault_set(
			fault, STATUS_USAGE, 0, "%s%s%s requires ", as.dashes, as.name, as.letter);
		options_rules_name_needs(options, i, fault);
		return false;
	}
	return true;
}
