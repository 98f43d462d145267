/* Suggestions for unknown options; see suggest.h. */
#include "cli/suggest.h"

#include <string.h>

#include "base/spelling.h"
#include "cli/foreign.h"
#include "cli/options.h"

/* The names of all options, and their other names. */
static const char *const suggest_names[] = {
#define OPTION(id, name, ...) name,
#include "cli/options.def"
#define ALIAS(id, name) name,
#include "cli/options.def"
};

#define SUGGEST_NAMES (sizeof suggest_names / sizeof suggest_names[0])

bool
suggest_letter(int letter, const char *hint, struct fault *fault)
{
	if (hint == NULL)
		hint = foreign_letter(letter);
	if (hint != NULL)
		return fault_set(fault, STATUS_USAGE, 0, "unknown option -%c: %s", letter, hint);
	fault->usage = true;
	return fault_set(fault, STATUS_USAGE, 0, "unknown option -%c", letter);
}

bool
suggest_name(const char *word, struct fault *fault)
{
	const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : word;
	size_t length = strcspn(name, "=");
	bool first = true;
	for (size_t i = 0; i < SUGGEST_NAMES && length > 0; i++) {
		if (strncmp(suggest_names[i], name, length) != 0)
			continue;
		if (first)
			(void)fault_set(fault, STATUS_USAGE, 0, "ambiguous option --%.*s: --%s",
				(int)length, name, suggest_names[i]);
		else
			fault_add(fault, ", --%s", suggest_names[i]);
		first = false;
	}
	const char *hint = foreign_name(name);
	if (!fault_is_set(fault) && hint != NULL)
		return fault_set(fault, STATUS_USAGE, 0, "unknown option --%.*s: %s", (int)length,
			name, hint);
	for (size_t i = 0; i < SUGGEST_NAMES && !fault_is_set(fault); i++)
		if (spelling_distance(name, length, suggest_names[i]) != SIZE_MAX)
			return fault_set(fault, STATUS_USAGE, 0,
				"unknown option --%.*s (did you mean --%s?)", (int)length, name,
				suggest_names[i]);
	fault->usage = !fault_is_set(fault);
	return fault_set(fault, STATUS_USAGE, 0, "unknown option --%.*s",
		length < 1000 ? (int)length : 1000, name);
}
