/*
 * A line on the terminal that is standard error, which is replaced from time to time: how far the
 * run has got. Other lines replace it until it is shown again (log.h).
 */
#ifndef SOCKCAT_ENGINE_STATUS_LINE_H
#define SOCKCAT_ENGINE_STATUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* How often it is replaced. */
#define STATUS_LINE_REFRESH (250 * CLOCK_MILLISECOND)

/* Whether standard error is a terminal. */
bool status_line_exists(void);

/* The width of the terminal; 80 if it does not say. */
size_t status_line_columns(void);

/* Shows the text, one line of printable ASCII, as far as it fits; not in the background of the
 * terminal. */
void status_line_show(const char *text);

/* Removes it, if it is shown. */
void status_line_clear(void);

#endif
