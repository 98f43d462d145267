/* The text of an event: a template of event.def with the values of its fields. */
#ifndef SOCKCAT_BASE_EVENT_TEXT_H
#define SOCKCAT_BASE_EVENT_TEXT_H

#include <stdio.h>

#include "base/event.h"

/* `numeric`: do not look up the names of ports. */
void event_text_print(FILE *out, const struct event *event, const char *text, bool numeric);

#endif
