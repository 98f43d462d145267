/* An event of progress as a line of a given width: the third writer of events. */
#ifndef SOCKCAT_BASE_EVENT_BAR_H
#define SOCKCAT_BASE_EVENT_BAR_H

#include <stddef.h>

#include "base/event.h"

/* The room for the widest line. */
#define EVENT_BAR_ROOM 320

/*
 * Writes " 42% [====>     ] 1.3 GB of 3.1 GB sent 110.0 MB/s 0:17" without a line end, in less than
 * `columns` columns: what does not fit is left out, the most important last. Printable ASCII only.
 */
void event_bar_print(char text[static EVENT_BAR_ROOM], const struct event *event, size_t columns);

#endif
