/* Lines on standard error; see log.h. */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static unsigned log_level;
static unsigned long log_dropped;

void
log_set_level(unsigned level)
{
	log_level = level;
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking, and no more is promised. */
static void
log_write(const char *text, int patience)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[PIPE_BUF], count[64] = "";
	if (log_dropped > 0)
		(void)snprintf(count, sizeof count, "(%lu lines dropped) ", log_dropped);
	int n = snprintf(line, sizeof line, "sockcat: %s%s\n", count, text);
	if (n < 0)
		return;
	size_t size = (size_t)n;
	if (size >= sizeof line) {
		/* The cause stands at the end, so it is the middle that is left out. */
		const size_t half = sizeof line / 2;
		(void)snprintf(line + half, half, "[...]%s",
			text + strlen(text) - (half - sizeof "[...]\n"));
		size = half + strlen(line + half);
		line[size++] = '\n';
	}
	if (poll(&ready, 1, patience) == 1 && write(STDERR_FILENO, line, size) == (ssize_t)size)
		log_dropped = 0;
	else
		log_dropped++;
}

void
log_line(unsigned level, const char *format, ...)
{
	if (level > log_level)
		return;
	int error = errno;
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *raw = n < 0 ? NULL : malloc((size_t)n + 1);
	char *shown = NULL;
	if (raw != NULL) {
		va_start(arguments, format);
		(void)vsnprintf(raw, (size_t)n + 1, format, arguments);
		va_end(arguments);
		shown = text_escape(raw, (size_t)n);
	}
	log_write(shown != NULL ? shown : "out of memory", 0);
	free(shown);
	free(raw);
	errno = error;
}

bool
log_is_stuck(unsigned level)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	return level <= log_level && poll(&ready, 1, 0) == 0;
}

void
log_last_line(const char *text)
{
	char *shown = text_escape(text, strlen(text));
	log_write(shown != NULL ? shown : "out of memory", 1000);
	free(shown);
}
