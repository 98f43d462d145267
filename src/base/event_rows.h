/* The rows and fields of event.def as data, for the writers of events. */
#ifndef SOCKCAT_BASE_EVENT_ROWS_H
#define SOCKCAT_BASE_EVENT_ROWS_H

#include "base/event.h"

enum event_level { EVENT_ALWAYS, EVENT_VERBOSE, EVENT_DEBUG, EVENT_HIDDEN };
enum event_origin { EVENT_RUN, EVENT_CLIENT, EVENT_OUTPUT };
enum event_type { EVENT_TEXT, EVENT_ADDRESS, EVENT_COUNT, EVENT_TIME, EVENT_RATE };

struct event_row {
	enum event_level level;
	enum event_origin origin;
	const char *report, *text;
};

struct event_field {
	const char *id, *name;
	enum event_type type;
	size_t offset; /* in struct event */
};

extern const struct event_row event_rows[EVENT_KINDS];

/* Field i of struct event; NULL after the last. */
const struct event_field *event_rows_field(size_t i);

/* The field whose id is the first `length` bytes; NULL: there is none. */
const struct event_field *event_rows_find(const char *id, size_t length);

uint64_t event_rows_count(const struct event *event, const struct event_field *field);
const char *event_rows_text(const struct event *event, const struct event_field *field);

/* Whether the field is neither 0 nor NULL. */
bool event_rows_has(const struct event *event, const struct event_field *field);

/* Whether the field is in every report of this kind. */
bool event_rows_requires(enum event_kind kind, const struct event_field *field);

/* Whether the field is in brackets of the text with another one that is set: 0 is its value. */
bool event_rows_accompanies(const struct event *event, const struct event_field *field);

/* The port at the end of "host:port"; NULL: there is none. */
const char *event_rows_port(const char *address);

#endif
