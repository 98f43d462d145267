/*
 * Lines on standard error. One event is one line, made harmless (text.h), "sockcat: …".
 *
 * Logging never stops data: a line that standard error would not take at once is dropped and
 * counted, and the count goes in front of the next line that gets through.
 *
 * Nor may others fill a disk with lines: events that clients cause have a quota (quota.h) for the
 * whole process, and what is beyond it is counted and told in one line. LOG_DEBUG lifts that.
 */
#ifndef SOCKCAT_BASE_LOG_H
#define SOCKCAT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Lines above the level are not written. It is process-wide, set once when a mode starts; 0 at
 * first. */
enum log_level { LOG_ALWAYS = 0, LOG_VERBOSE = 1, LOG_DEBUG = 2 };

void log_set_level(unsigned level);

/* Whether it asks for these: for lines that are dear to make. */
bool log_wants(unsigned level);

/* Writes a line if the level asks for it; errno is preserved. */
void log_line(unsigned level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what a client has caused, as long as there are not too many of these. */
void log_event(unsigned level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One of these two. */
typedef void (*log_writer)(unsigned level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* When log_settle is due; CLOCK_NEVER: nothing is owed. */
int64_t log_owes(void);

/* Tells how many events were left out, if any were; standard error is given so many ms to take it,
 * and if it does not the count stays owed. */
void log_settle(int patience);

/* Whether a line of that level would be dropped now: for those whose lines are what was asked for,
 * and who can wait for standard error. */
bool log_is_stuck(unsigned level);

/* The line that explains the exit status: standard error is given a second to take it. */
void log_last_line(const char *text);

#endif
