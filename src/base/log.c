/* Lines on standard error; see log.h. */
#include "base/log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pollset.h"
#include "base/text.h"

static unsigned long log_dropped;
static const char *log_name = "sockcat";
static bool log_shows_progress, log_has_given_way;

void
log_progress(const char *text)
{
	static const char clear[] = "\r\033[K";
	if (text == NULL ? !log_shows_progress : log_is_stuck())
		return;
	log_shows_progress = text != NULL;
	(void)dprintf(STDERR_FILENO, "%s%s", clear, text != NULL ? text : "");
}

void
log_give_way(void)
{
	log_has_given_way = true;
	log_progress(NULL);
}

bool
log_gave_way(void)
{
	return log_has_given_way;
}

bool
log_plain(const char *text, size_t size)
{
	log_progress(NULL);
	return write(STDERR_FILENO, text, size) == (ssize_t)size;
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking (poll(2), pipe(7)): longer lines
 * are shortened to that. */
static bool
log_write(const char *name, const char *text)
{
	char line[PIPE_BUF], count[64] = "";
	if (log_dropped > 0)
		(void)snprintf(count, sizeof count, "(%lu lines dropped) ", log_dropped);
	int n = snprintf(
		line, sizeof line, "%s%s%s%s\n", name, name[0] != '\0' ? ": " : "", count, text);
	if (n < 0)
		return false;
	size_t size = (size_t)n;
	if (size >= sizeof line) {
		/* Leave out the middle: the cause is at the end. */
		const size_t half = sizeof line / 2;
		(void)snprintf(line + half, half, "[...]%s",
			text + strlen(text) - (half - sizeof "[...]\n"));
		size = half + strlen(line + half);
		line[size++] = '\n';
	}
	if (!log_plain(line, size))
		return false;
	log_dropped = 0;
	return true;
}

bool
log_is_stuck(void)
{
	return pollset_look(STDERR_FILENO, POLLOUT) == 0;
}

static bool
log_print(const char *name, const char *text)
{
	char *shown = text_escape(text, strlen(text));
	bool written = log_write(name, shown != NULL ? shown : "out of memory");
	free(shown);
	return written;
}

void
log_set_name(const char *name)
{
	log_name = name;
}

bool
log_last(const char *text)
{
	return log_print(log_name, text);
}

bool
log_output(const char *text)
{
	char *shown = text_escape(text, strlen(text));
	log_progress(NULL);
	bool written =
		shown != NULL && dprintf(STDOUT_FILENO, "%s\n", shown) == (int)strlen(shown) + 1;
	free(shown);
	return written;
}

bool
log_try(const char *text)
{
	return !log_is_stuck() && log_last(text);
}

void
log_line(const char *text, bool named)
{
	if (log_is_stuck() || !log_print(named ? log_name : "", text))
		log_dropped++;
}
