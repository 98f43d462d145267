/* What is kept of a file; see preserve.h. */
#include "archive/preserve.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *word;
	unsigned bit;
} preserve_words[] = {
	{ "none", 0 },
	{ "mode", PRESERVE_MODE },
	{ "time", PRESERVE_TIME },
	{ "owner", PRESERVE_OWNER },
	{ "xattr", PRESERVE_XATTR },
};

bool
preserve_parse(unsigned *preserve, const char *words, struct fault *fault)
{
	*preserve = 0;
	for (const char *word = words;; word += strcspn(word, ",") + 1) {
		size_t length = strcspn(word, ","), i = 0;
		while (i < sizeof preserve_words / sizeof preserve_words[0] &&
			(strlen(preserve_words[i].word) != length ||
				strncmp(preserve_words[i].word, word, length) != 0))
			i++;
		if (i == sizeof preserve_words / sizeof preserve_words[0])
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --preserve '%s': expected mode, time, owner, xattr or "
				"none",
				words);
		*preserve |= preserve_words[i].bit;
		if (word[length] == '\0')
			return true;
	}
}

mode_t
preserve_mode(unsigned preserve, const struct preserve_values *values, mode_t mode)
{
	return (preserve & PRESERVE_MODE) != 0 ? values->mode & 0777 : mode;
}

bool
preserve_apply(
	unsigned preserve, int fd, const struct preserve_values *values, mode_t mode, bool has_mode)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, values->modified };
	bool owned = (preserve & PRESERVE_OWNER) != 0;
	/* The owner first: changing it can clear bits of the mode. */
	return (!owned || fchown(fd, values->user, values->group) == 0) &&
		((has_mode && !owned) || fchmod(fd, preserve_mode(preserve, values, mode)) == 0) &&
		((preserve & PRESERVE_TIME) == 0 || futimens(fd, times) == 0);
}
