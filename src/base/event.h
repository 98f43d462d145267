/*
 * Events: rows of event.def with fields, written as lines on standard error, or as results on
 * standard output. Nothing else below main prints. They are in the lowest layer because every layer
 * emits them.
 */
#ifndef SOCKCAT_BASE_EVENT_H
#define SOCKCAT_BASE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

/* The wording of events. */
enum event_style {
	EVENT_STYLE_OWN,
	EVENT_STYLE_NC, /* OpenBSD's nc (event_nc.def); other rows of level VERBOSE become DEBUG */
	EVENT_STYLES
};

enum event_kind {
#define EVENT(id, ...) EVENT_##id,
#include "base/event.def"
	EVENT_KINDS
};

struct event {
	enum event_kind kind;
	bool always; /* print at every level: it reports lost data, or the user requested it */
#define EVENT_TYPE_TEXT const char *
#define EVENT_TYPE_ADDRESS const char *
#define EVENT_TYPE_COUNT uint64_t
#define EVENT_TYPE_TIME uint64_t
#define EVENT_TYPE_RATE uint64_t
#define EVENT_FIELD(id, type, name) EVENT_TYPE_##type id;
#include "base/event.def"
#undef EVENT_TYPE_TEXT
#undef EVENT_TYPE_ADDRESS
#undef EVENT_TYPE_COUNT
#undef EVENT_TYPE_TIME
#undef EVENT_TYPE_RATE
};

/*
 * Called once, at the start of a run; until then only events of level ALWAYS are printed.
 * `limited`: rate-limit the events of origin CLIENT, so that clients cannot fill a disk, and count
 * the suppressed ones. The level DEBUG turns the limit off.
 */
void event_configure(unsigned verbose, bool limited);

/* Called before event_configure; until then the style is EVENT_STYLE_OWN. `numeric`: do not look up
 * the names of ports. */
void event_set_style(enum event_style style, bool numeric);

/* Whether the level includes events of this kind. */
bool event_is_shown(enum event_kind kind);

/* Whether it does, or there is a report; to skip computing costly fields. */
bool event_wants(enum event_kind kind);

/* Prints the event if the level includes it, and reports it. Never waits for standard error, nor
 * for the report. Preserves errno. */
void event_emit(const struct event *event);

/* Attributes the following events to a session; 0: to none. */
void event_enter(uint64_t session);

/* The format of a report: all events, whatever the level, one a line. */
enum event_report { EVENT_REPORT_NONE, EVENT_REPORT_JSON, EVENT_REPORT_TEXT };

/* Starts a report to `fd` (report.h), which is taken. `name`: for messages; not owned. `instead`:
 * of the lines on this descriptor: 1 or 2; others: none. */
void event_report_to(enum event_report format, int fd, bool socket, const char *name, int instead);

/* Writes the event to standard error as a line of a report in JSON, unless that would block. */
void event_print_json(const struct event *event);

/* Whether there is a report. */
bool event_reports(void);

/* Writes the last event of the report. False: it cannot be written yet; *fd is to be waited for. */
bool event_report_last(const struct event *event, int *fd);

/* Closes the report. Returns the first error of a write; 0: there was none. */
int event_report_close(void);

/* The text of an event, at level DEBUG with its session's number, without the program's name and
 * the line end. The caller frees it; NULL: out of memory. */
char *event_text(const struct event *event);

/* False and status 23 if a result could not be written to standard output; no message if its reader
 * has closed it. */
bool event_check_output(struct fault *fault);

/* When event_settle is due; CLOCK_NEVER: nothing was suppressed. */
int64_t event_due(void);

/* Prints the number of suppressed events unless it is 0. Waits up to `patience` milliseconds for
 * standard error; on a timeout the count is kept and due again in a second. */
void event_settle(void);

#endif
