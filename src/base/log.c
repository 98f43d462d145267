/* Lines on standard error; see log.h. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/quota.h"
#include "base/text.h"

static unsigned log_level;
static unsigned long log_dropped;

/* Of events: what was left out, and when that is told even if no other comes. */
static struct quota log_quota;
static uint64_t log_left_out;
static int64_t log_due = CLOCK_NEVER;

void
log_set_level(unsigned level)
{
	log_level = level;
}

bool
log_wants(unsigned level)
{
	return level <= log_level;
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking, and no more is promised. */
static bool
log_write(const char *text, int patience)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[PIPE_BUF], count[64] = "";
	if (log_dropped > 0)
		(void)snprintf(count, sizeof count, "(%lu lines dropped) ", log_dropped);
	int n = snprintf(line, sizeof line, "sockcat: %s%s\n", count, text);
	if (n < 0)
		return false;
	size_t size = (size_t)n;
	if (size >= sizeof line) {
		/* The cause stands at the end, so it is the middle that is left out. */
		const size_t half = sizeof line / 2;
		(void)snprintf(line + half, half, "[...]%s",
			text + strlen(text) - (half - sizeof "[...]\n"));
		size = half + strlen(line + half);
		line[size++] = '\n';
	}
	if (poll(&ready, 1, patience) != 1 || write(STDERR_FILENO, line, size) != (ssize_t)size)
		return false;
	log_dropped = 0;
	return true;
}

static void __attribute__((format(printf, 1, 0))) log_format(const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int n = vsnprintf(NULL, 0, format, arguments);
	char *raw = n < 0 ? NULL : malloc((size_t)n + 1);
	char *shown = NULL;
	if (raw != NULL) {
		(void)vsnprintf(raw, (size_t)n + 1, format, again);
		shown = text_escape(raw, (size_t)n);
	}
	va_end(again);
	if (!log_write(shown != NULL ? shown : "out of memory", 0))
		log_dropped++;
	free(shown);
	free(raw);
}

void
log_line(unsigned level, const char *format, ...)
{
	if (level > log_level)
		return;
	int error = errno;
	va_list arguments;
	va_start(arguments, format);
	log_format(format, arguments);
	va_end(arguments);
	errno = error;
}

void
log_event(unsigned level, const char *format, ...)
{
	if (level > log_level)
		return;
	int error = errno;
	int64_t now = clock_now();
	if (log_level < LOG_DEBUG && !quota_take(&log_quota, now)) {
		if (log_left_out++ == 0)
			log_due = clock_after(now, CLOCK_SECOND);
	} else {
		log_settle(0);
		va_list arguments;
		va_start(arguments, format);
		log_format(format, arguments);
		va_end(arguments);
	}
	errno = error;
}

int64_t
log_owes(void)
{
	return log_due;
}

void
log_settle(int patience)
{
	char text[64];
	if (log_left_out == 0)
		return;
	(void)snprintf(text, sizeof text, "%" PRIu64 " messages suppressed", log_left_out);
	if (log_write(text, patience)) {
		log_left_out = 0;
		log_due = CLOCK_NEVER;
	} else {
		log_due = clock_after(clock_now(), CLOCK_SECOND);
	}
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
	(void)log_write(shown != NULL ? shown : "out of memory", 1000);
	free(shown);
}
