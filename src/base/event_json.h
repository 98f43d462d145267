/*
 * An event as a line of JSON (RFC 8259): an object with the members of an envelope, and those
 * fields of the event that are set or that its row requires. It is valid, and UTF-8, whatever the
 * fields contain: invalid bytes become U+FFFD. Members are only ever added: see event.def.
 */
#ifndef SOCKCAT_BASE_EVENT_JSON_H
#define SOCKCAT_BASE_EVENT_JSON_H

#include <stdio.h>
#include <time.h>

#include "base/event.h"

/* What every line has. */
struct event_envelope {
	struct timespec time;
	uint64_t session; /* 0: none */
	uint64_t dropped; /* lines that were dropped before this one */
};

/* Writes the event with a line end. */
void event_json_print(FILE *out, const struct event *event, const struct event_envelope *envelope);

#endif
