/* Extended attributes; see attributes.h. */
#include "archive/attributes.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/preserve.h"
#include "sys/sys.h"

/* The largest of Linux (XATTR_LIST_MAX, XATTR_SIZE_MAX). */
#define ATTRIBUTES_MAX 65536

static bool
attributes_is_user(const char *name)
{
	return strncmp(name, "user.", 5) == 0 && name[5] != '\0';
}

bool
attributes_set(unsigned preserve, int fd, struct archive_entry *entry, const char *path,
	struct fault *fault)
{
	const char *name;
	const void *value;
	size_t size;
	if ((preserve & PRESERVE_XATTR) == 0)
		return true;
	(void)archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (name != NULL && attributes_is_user(name) &&
			!sys_set_attribute(fd, name, value, size))
			return fault_set(
				fault, STATUS_OUTPUT, errno, "set attribute %s of %s", name, path);
	return true;
}

/* The names of the attributes, each ended by NUL; *size is 0 if there are none. The caller frees
 * them; NULL and errno on failure. */
static char *
attributes_list(int fd, size_t *size)
{
	char *names = malloc(ATTRIBUTES_MAX);
	ssize_t n = names == NULL ? -1 : sys_list_attributes(fd, names, ATTRIBUTES_MAX);
	*size = 0;
	if (n >= 0)
		*size = (size_t)n;
	else if (names != NULL && errno != ENOTSUP) {
		free(names);
		return NULL;
	}
	return names;
}

bool
attributes_get(unsigned preserve, int fd, struct archive_entry *entry, const char *path,
	struct fault *fault)
{
	size_t size;
	if ((preserve & PRESERVE_XATTR) == 0)
		return true;
	char *names = attributes_list(fd, &size), *value = malloc(ATTRIBUTES_MAX);
	bool good = names != NULL && value != NULL;
	for (size_t i = 0; good && i < size; i += strlen(names + i) + 1) {
		if (!attributes_is_user(names + i))
			continue;
		ssize_t n = sys_get_attribute(fd, names + i, value, ATTRIBUTES_MAX);
		good = n >= 0;
		if (good)
			archive_entry_xattr_add_entry(entry, names + i, value, (size_t)n);
	}
	if (!good)
		(void)fault_set(fault, STATUS_INPUT, errno, "read the attributes of %s", path);
	free(names);
	free(value);
	return good;
}
