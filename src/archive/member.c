/* Checks of names in an archive; see member.h. */
#include "archive/member.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char MEMBER_NO_MEMORY[] = "out of memory";

/* C0 controls, DEL, and C1 controls in UTF-8 (U+0080 to U+009F). */
static bool
member_has_control(const char *text)
{
	unsigned char before = 0;
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte <= 0x9f))
			return true;
		before = byte;
	}
	return false;
}

/* Whether the component of this length is "." or "..", of `dots` dots. */
static bool
member_is_dots(const char *component, size_t length, size_t dots)
{
	return length == dots && strncmp(component, "..", dots) == 0;
}

/* Appends the components to a path that has room for the whole name. NULL, or the reason. */
static const char *
member_copy(char *path, const char *name)
{
	char *end = path;
	while (*name != '\0') {
		size_t length = strcspn(name, "/");
		if (member_is_dots(name, length, 2))
			return "the name contains '..'";
		if (length > MEMBER_NAME_MAX)
			return "the name is longer than 255 bytes";
		if (length > 0 && !member_is_dots(name, length, 1)) {
			if (end > path)
				*end++ = '/';
			memcpy(end, name, length);
			end += length;
		}
		name += length + (name[length] == '/');
	}
	*end = '\0';
	return NULL;
}

const char *
member_check(const char *name, char **path)
{
	*path = NULL;
	if (name == NULL || name[0] == '\0')
		return "the name is empty";
	if (name[0] == '/')
		return "the name is absolute";
	if (member_has_control(name))
		return "the name contains a control character";
	size_t length = strlen(name);
	if (length > MEMBER_PATH_MAX)
		return "the path is longer than 4095 bytes";
	char *copy = malloc(length + 1);
	if (copy == NULL)
		return MEMBER_NO_MEMORY;
	const char *why = member_copy(copy, name);
	if (why != NULL)
		free(copy);
	else
		*path = copy;
	return why;
}

/* The number of directories above the last component. */
static size_t
member_depth(const char *path)
{
	size_t depth = 0;
	for (; *path != '\0'; path++)
		depth += *path == '/';
	return depth;
}

const char *
member_check_target(const char *path, const char *target)
{
	size_t depth = member_depth(path);
	bool named = false;
	if (target == NULL || target[0] == '\0')
		return "the target of the symbolic link is empty";
	if (target[0] == '/')
		return "the target of the symbolic link is absolute";
	if (member_has_control(target))
		return "the target of the symbolic link contains a control character";
	if (strlen(target) > MEMBER_PATH_MAX)
		return "the target of the symbolic link is longer than 4095 bytes";
	while (*target != '\0') {
		size_t length = strcspn(target, "/");
		bool up = member_is_dots(target, length, 2);
		if (up && (named || depth == 0))
			return "the target of the symbolic link leads out of the directory";
		depth -= up;
		named |= length > 0 && !up && !member_is_dots(target, length, 1);
		target += length + (target[length] == '/');
	}
	return NULL;
}
