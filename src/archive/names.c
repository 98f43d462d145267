/* The entries of a directory; see names.h. */
#include "archive/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

static int
names_compare(const void *a, const void *b)
{
	return strcmp(((const struct names_entry *)a)->name, ((const struct names_entry *)b)->name);
}

static bool
names_add(struct names *names, const struct dirent *entry)
{
	const char *name = entry->d_name;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (names->count == names->capacity) {
		size_t capacity = names->capacity == 0 ? 64 : 2 * names->capacity;
		struct names_entry *list = capacity > SIZE_MAX / sizeof *list
			? NULL
			: realloc(names->list, capacity * sizeof *list);
		if (list == NULL)
			return false;
		names->list = list;
		names->capacity = capacity;
	}
	names->list[names->count] =
		(struct names_entry){ .name = strdup(name), .type = sys_entry_type(entry) };
	return names->list[names->count].name != NULL && ++names->count > 0;
}

bool
names_read(struct names *names, int directory)
{
	*names = (struct names){ .list = NULL };
	int copy = sys_duplicate(directory);
	DIR *stream = copy == -1 ? NULL : fdopendir(copy);
	if (stream == NULL) {
		(void)sys_close(&copy);
		return false;
	}
	const struct dirent *entry = NULL;
	bool good = true;
	do {
		errno = 0;
		entry = readdir(stream);
		good = entry != NULL && names_add(names, entry);
	} while (good);
	int error = errno;
	(void)closedir(stream);
	errno = error;
	if (entry != NULL || error != 0)
		return false;
	if (names->count > 0)
		qsort(names->list, names->count, sizeof *names->list, names_compare);
	return true;
}

void
names_close(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].name);
	free(names->list);
	*names = (struct names){ .list = NULL };
}
