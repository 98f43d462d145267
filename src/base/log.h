/*
 * Lines on standard error: "NAME: TEXT", escaped (text.h).
 *
 * Logging never delays data: a line that would block is dropped and counted, and the next line
 * that is written begins with the count.
 */
#ifndef SOCKCAT_BASE_LOG_H
#define SOCKCAT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Changes NAME, which is "sockcat" at the start; not owned. */
void log_set_name(const char *name);

/* Writes a line, without NAME if it is not `named`; if that would block, drops and counts it. */
void log_line(const char *text, bool named);

/* Writes a line unless that would block. False: not written, and not counted as dropped. */
bool log_try(const char *text);

/* Writes a line, and blocks if standard error does: for the line that explains the exit status. */
bool log_last(const char *text);

/* The same for text of the program's own, as it is. */
bool log_plain(const char *text, size_t size);

/* Writes a line to standard output, escaped, and blocks if that does. False: errno is set. */
bool log_output(const char *text);

/* Shows a text on standard error, which has to be a terminal, until the next line is written or
 * another text replaces it; NULL: removes it. */
void log_progress(const char *text);

/* Data is about to be written to a terminal: removes the text, which may be on the same one. */
void log_give_way(void);

/* Whether that has happened. */
bool log_gave_way(void);

/* Whether log_line would drop a line now; for output that can be written later. */
bool log_is_stuck(void);

#endif
