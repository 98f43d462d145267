/*
 * Lines on standard error. One event is one line, made harmless (text.h), "sockcat: …".
 *
 * Logging never stops data: a line that standard error would not take at once is dropped and
 * counted, and the count goes in front of the next line that gets through.
 */
#ifndef SOCKCAT_BASE_LOG_H
#define SOCKCAT_BASE_LOG_H

#include <stdbool.h>

/* Lines above the level are not written. It is process-wide, set once when a mode starts; 0 at
 * first. */
enum log_level { LOG_ALWAYS = 0, LOG_VERBOSE = 1, LOG_DEBUG = 2 };

void log_set_level(unsigned level);

/* Writes a line if the level asks for it; errno is preserved. */
void log_line(unsigned level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a line of that level would be dropped now: for those whose lines are what was asked for,
 * and who can wait for standard error. */
bool log_is_stuck(unsigned level);

/* The line that explains the exit status: standard error is given a second to take it. */
void log_last_line(const char *text);

#endif
