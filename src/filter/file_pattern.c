/* The names of files that are made for many clients; see file_pattern.h. */
#include "filter/file_pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The digits of the largest number. */
#define FILE_PATTERN_DIGITS 20

bool
file_pattern_check(const char *pattern, bool *numbered, bool *addressed)
{
	*numbered = *addressed = false;
	for (const char *at = pattern; (at = strchr(at, '%')) != NULL; at += 2) {
		*numbered |= at[1] == 'n';
		*addressed |= at[1] == 'a';
		if (at[1] == '\0' || strchr("na%", at[1]) == NULL)
			return false;
	}
	return true;
}

/* An empty address would leave the rest of the pattern as the name. */
static size_t
file_pattern_put_address(char *to, const char *address)
{
	size_t length = strlen(address);
	if (length == 0) {
		to[0] = '_';
		return 1;
	}
	for (size_t i = 0; i < length; i++) {
		char c = address[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || strchr("-_:@[]", c) != NULL ||
			(c == '.' && i > 0);
		to[i] = plain ? c : '_';
	}
	return length;
}

char *
file_pattern_expand(const char *pattern, uint64_t number, const char *address)
{
	size_t each = strlen(address) > FILE_PATTERN_DIGITS ? strlen(address) : FILE_PATTERN_DIGITS;
	size_t size = strlen(pattern) + 1;
	for (const char *at = pattern; (at = strchr(at, '%')) != NULL; at += 2)
		size += each;
	char *name = malloc(size), *to = name;
	if (name == NULL)
		return NULL;
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%') {
			*to++ = *pattern;
			continue;
		}
		pattern++;
		if (*pattern == 'n')
			to += snprintf(to, FILE_PATTERN_DIGITS + 1, "%" PRIu64, number);
		else if (*pattern == 'a')
			to += file_pattern_put_address(to, address);
		else
			*to++ = '%';
	}
	*to = '\0';
	return name;
}
