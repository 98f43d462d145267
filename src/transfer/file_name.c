/* Names of files that are sent; see file_name.h. */
#include "transfer/file_name.h"

#include <stdbool.h>
#include <string.h>

/* Whether the name has a control character: C0, DEL, or C1 in UTF-8. */
static bool
file_name_has_control(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)name[i];
		unsigned char next = i + 1 < n ? (unsigned char)name[i + 1] : 0;
		if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next <= 0x9f))
			return true;
	}
	return false;
}

static bool
file_name_ends_with(const char *name, size_t n, const char *end)
{
	size_t length = strlen(end);
	return n >= length && memcmp(name + n - length, end, length) == 0;
}

const char *
file_name_refuse(const char *name, size_t n)
{
	if (n == 0)
		return "the name is empty";
	if (n > FILE_NAME_MAX)
		return "the name is longer than 255 bytes";
	if (memchr(name, '/', n) != NULL)
		return "the name is a path";
	if ((n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0))
		return "the name is that of a directory";
	if (file_name_has_control(name, n))
		return "the name has control characters";
	if (name[0] == '.' &&
		(file_name_ends_with(name, n, ".part") || file_name_ends_with(name, n, ".blocks")))
		return "the name is reserved for incomplete files";
	return NULL;
}

const char *
file_name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}
