#include "net/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

static bool
secret_file_is_private(
	const struct stat *file, const char *path, enum status status, struct fault *fault)
{
	return !S_ISREG(file->st_mode) || (file->st_mode & (S_IROTH | S_IWOTH)) == 0 ||
		fault_set(fault, status, 0, "read %s: other users can %s it; run: chmod o= FILE",
			path, (file->st_mode & S_IROTH) != 0 ? "read" : "change");
}

/* Reads up to the end of the file, and sets *length; false with errno. */
static bool
secret_file_fill(int fd, char *text, size_t *length)
{
	ssize_t n = 1;
	*length = 0;
	while (n > 0 && *length < SECRET_FILE_MAX) {
		n = read(fd, text + *length, SECRET_FILE_MAX - *length);
		if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == -1)
			return false;
		else
			*length += (size_t)n;
	}
	errno = EFBIG;
	return *length < SECRET_FILE_MAX;
}

static bool
secret_file_take(int fd, const char *path, char *text, enum status status, struct fault *fault)
{
	struct stat file;
	size_t length = 0;
	if (fstat(fd, &file) == 0 && !secret_file_is_private(&file, path, status, fault))
		return false;
	if (!secret_file_fill(fd, text, &length))
		return fault_set(fault, status, errno, "read %s", path);
	text[length] = '\0';
	return true;
}

char *
secret_file_read(const char *path, enum status status, struct fault *fault)
{
	char *text = malloc(SECRET_FILE_MAX + 1);
	if (text == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "read %s", path), NULL;
	int fd = sys_open(path, O_RDONLY);
	if (fd == -1)
		(void)fault_set(fault, status, errno, "read %s", path);
	bool good = fd != -1 && secret_file_take(fd, path, text, status, fault);
	(void)sys_close(&fd);
	if (good)
		return text;
	free(text);
	return NULL;
}

bool
secret_file_check(const char *path, enum status status, struct fault *fault)
{
	struct stat file;
	return stat(path, &file) == -1 || secret_file_is_private(&file, path, status, fault);
}

char *
secret_file_line(char **next, size_t *number)
{
	while (*next != NULL) {
		char *line = *next, *end = strchr(line, '\n');
		*next = end != NULL ? end + 1 : NULL;
		++*number;
		if (end != NULL)
			*end = '\0';
		size_t length = strlen(line);
		if (length > 0 && line[length - 1] == '\r')
			line[length - 1] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			return line;
	}
	return NULL;
}
