/* Suggestions for unknown options; see suggest.h. */
#include "cli/suggest.h"

#include <string.h>

#include "base/spelling.h"
#include "cli/foreign.h"
#include "cli/options.h"

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
	for (unsigned i = 0; i < OPTION_COUNT && length > 0; i++) {
		if (strncmp(option_rows[i].name, name, length) != 0)
			continue;
		if (first)
			(void)fault_set(fault, STATUS_USAGE, 0, "ambiguous option --%.*s: --%s",
				(int)length, name, option_rows[i].name);
		else
			fault_add(fault, ", --%s", option_rows[i].name);
		first = false;
	}
	const char *hint = foreign_name(name);
	if (!fault_is_set(fault) && hint != NULL)
		return fault_set(fault, STATUS_USAGE, 0, "unknown option --%.*s: %s", (int)length,
			name, hint);
	for (unsigned i = 0; i < OPTION_COUNT && !fault_is_set(fault); i++)
		if (spelling_distance(name, length, option_rows[i].name) != SIZE_MAX)
			return fault_set(fault, STATUS_USAGE, 0,
				"unknown option --%.*s (did you mean --%s?)", (int)length, name,
				option_rows[i].name);
	fault->usage = !fault_is_set(fault);
	return fault_set(fault, STATUS_USAGE, 0, "unknown option --%.*s",
		length < 1000 ? (int)length : 1000, name);
}
