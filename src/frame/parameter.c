/* Format parameters; see parameter.h. */
#include "frame/parameter.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

bool
parameter_take(const char **text, const char *word)
{
	size_t size = strlen(word);
	if (strncmp(*text, word, size) != 0)
		return false;
	const char *end = *text + size;
	if (word[size - 1] != ':' && word[size - 1] != '=' && *end != ',' && *end != '\0')
		return false;
	*text = end;
	return true;
}

bool
parameter_number(const char **text, uint64_t max, uint64_t *value, const char **why)
{
	size_t size = strcspn(*text, ",");
	if ((*text)[0] == '0' && (*text)[1] >= '0' && (*text)[1] <= '9') {
		*why = "a number with a leading zero is ambiguous: octal is not supported";
		return false;
	}
	char *number = strndup(*text, size);
	bool good = number != NULL && parse_number(number, max, value) == PARSE_OK;
	free(number);
	*text += size;
	return good;
}
