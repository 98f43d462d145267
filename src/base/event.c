/* Events and their two writers; see event.h. */
#include "base/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_json.h"
#include "base/event_rows.h"
#include "base/event_text.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/ratelimit.h"
#include "base/report.h"
#include "base/text.h"

/* A row in the words of another style. */
struct event_wording {
	enum event_level level;
	bool named;       /* the line begins with the program's name */
	bool output;      /* the line goes to standard output */
	const char *text; /* NULL: as in event_rows */
};

static const struct event_wording event_wordings[EVENT_STYLES][EVENT_KINDS] = {
#define WORDING(id, level, named, text) \
	[EVENT_STYLE_NC][EVENT_##id] = { EVENT_##level, named, false, text },
#include "base/event_nc.def"
};

/* The level of rows of level VERBOSE that have no wording of the style. */
static const enum event_level event_others[EVENT_STYLES] = {
	[EVENT_STYLE_OWN] = EVENT_VERBOSE,
	[EVENT_STYLE_NC] = EVENT_DEBUG,
};

static struct {
	enum event_style style;
	bool numeric;
	unsigned level;
	bool limited;
	uint64_t session;           /* of the events that are emitted now; 0: none */
	struct ratelimit ratelimit; /* of events of origin CLIENT */
	uint64_t suppressed;        /* events, not reported yet */
	int64_t due;                /* when to report them; CLOCK_NEVER: suppressed == 0 */
	int output_error;           /* of the first failed write of a result; 0: none */
	enum event_report format;
	int instead; /* of lines on this descriptor; -1: none */
	struct report report;
	const char *report_name; /* not owned */
	uint64_t report_dropped; /* lines since the last one */
	bool report_ended;       /* the last event is written, or taken */
} event_writer = { .due = CLOCK_NEVER, .instead = -1, .report = { .fd = -1 } };

void
event_configure(unsigned verbose, bool limited)
{
	event_writer.level = verbose;
	event_writer.limited = limited && verbose < EVENT_DEBUG;
}

void
event_set_style(enum event_style style, bool numeric)
{
	event_writer.style = style;
	event_writer.numeric = numeric;
}

static struct event_wording
event_wording(enum event_kind kind)
{
	const struct event_wording *wording = &event_wordings[event_writer.style][kind];
	enum event_level level = event_rows[kind].level;
	if (wording->text != NULL)
		return *wording;
	if (level == EVENT_VERBOSE)
		level = event_others[event_writer.style];
	bool output = event_rows[kind].origin == EVENT_OUTPUT;
	return (struct event_wording){ level, !output, output, event_rows[kind].text };
}

bool
event_is_shown(enum event_kind kind)
{
	enum event_level level = event_wording(kind).level;
	return level < EVENT_HIDDEN && (unsigned)level <= event_writer.level;
}

bool
event_wants(enum event_kind kind)
{
	return event_is_shown(kind) || event_reports();
}

void
event_enter(uint64_t session)
{
	event_writer.session = session;
}

/* The text of an event by a template, with the session's number unless that is 0. */
static char *
event_format(const struct event *event, const char *template, uint64_t session)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	if (session != 0)
		(void)fprintf(out, "[%" PRIu64 "] ", session);
	event_text_print(out, event, template, event_writer.numeric);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *
event_text(const struct event *event)
{
	const struct event_wording wording = event_wording(event->kind);
	bool numbered = wording.named && event_writer.level >= EVENT_DEBUG;
	return event_format(event, wording.text, numbered ? event_writer.session : 0);
}

static bool
event_is_printed(const struct event *event)
{
	/* Another style has its own choice of the rows that it words. */
	bool always = event->always && event_wordings[event_writer.style][event->kind].text == NULL;
	int to = event_wording(event->kind).output ? STDOUT_FILENO : STDERR_FILENO;
	return (always || event_is_shown(event->kind)) && to != event_writer.instead;
}

/* Writes the line of an event, if its level includes it. */
static void
event_print(const struct event *event)
{
	if (!event_is_printed(event))
		return;
	int64_t now = clock_now();
	bool limited = event_writer.limited && event_rows[event->kind].origin == EVENT_CLIENT;
	if (limited && !ratelimit_take(&event_writer.ratelimit, now)) {
		if (event_writer.suppressed++ == 0)
			event_writer.due = clock_after(now, CLOCK_SECOND);
		return;
	}
	event_settle();
	char *text = event_text(event);
	const struct event_wording wording = event_wording(event->kind);
	if (!wording.output)
		log_line(text != NULL ? text : "out of memory", wording.named);
	else if (!log_output(text != NULL ? text : "out of memory") &&
		event_writer.output_error == 0)
		event_writer.output_error = errno;
	free(text);
}

/* --- the report --- */

void
event_report_to(enum event_report format, int fd, bool socket, const char *name, int instead)
{
	event_writer.format = format;
	event_writer.report = (struct report){ .fd = fd, .socket = socket };
	event_writer.report_name = name;
	event_writer.report_dropped = 0;
	event_writer.report_ended = false;
	event_writer.instead = instead;
}

bool
event_reports(void)
{
	return event_writer.report.fd != -1;
}

/* "2026-11-25T10:10:48.123456Z [3] TEXT" */
static void
event_report_print(FILE *out, const struct event *event, const struct event_envelope *envelope)
{
	unsigned char time[JSON_TEXT_TIME];
	char *text = event_format(event, event_rows[event->kind].text, envelope->session);
	char *shown = text != NULL ? text_escape(text, strlen(text)) : NULL;
	if (json_text_put_time(time, &envelope->time))
		(void)fprintf(out, "%.*s ", JSON_TEXT_TIME, time);
	if (envelope->dropped > 0)
		(void)fprintf(out, "(%" PRIu64 " lines dropped) ", envelope->dropped);
	(void)fprintf(out, "%s\n", shown != NULL ? shown : "out of memory");
	free(text);
	free(shown);
}

/* The line of an event; NULL: out of memory. */
static char *
event_report_line(enum event_report format, const struct event *event, size_t *size)
{
	char *line = NULL;
	FILE *out = open_memstream(&line, size);
	struct event_envelope envelope = { .session = event_writer.session,
		.dropped = event_writer.report_dropped };
	if (out == NULL)
		return NULL;
	(void)clock_gettime(CLOCK_REALTIME, &envelope.time);
	if (format == EVENT_REPORT_JSON)
		event_json_print(out, event, &envelope);
	else
		event_report_print(out, event, &envelope);
	if (fclose(out) == 0)
		return line;
	free(line);
	return NULL;
}

/* Reports the event. False: it was dropped. */
static bool
event_report(const struct event *event)
{
	struct report *report = &event_writer.report;
	size_t size = 0;
	if (report->fd == -1 || event_rows[event->kind].report[0] == '\0')
		return true;
	char *line =
		report_flush(report) ? event_report_line(event_writer.format, event, &size) : NULL;
	bool written = line != NULL && report_write(report, line, size);
	event_writer.report_dropped = written ? 0 : event_writer.report_dropped + 1;
	free(line);
	if (report->fd != -1)
		return written;
	event_writer.instead = -1;
	event_print(&(struct event){ .kind = EVENT_report_failed,
		.object = event_writer.report_name,
		.cause = strerror(report->error) });
	return true;
}

void
event_print_json(const struct event *event)
{
	size_t size = 0;
	char *line = log_is_stuck() ? NULL : event_report_line(EVENT_REPORT_JSON, event, &size);
	if (line != NULL)
		(void)log_plain(line, size);
	free(line);
}

bool
event_report_last(const struct event *event, int *fd)
{
	uint64_t dropped = event_writer.report_dropped;
	*fd = event_writer.report.fd;
	if (!event_writer.report_ended && !(event_writer.report_ended = event_report(event)))
		event_writer.report_dropped = dropped;
	return event_writer.report_ended && report_flush(&event_writer.report);
}

int
event_report_close(void)
{
	report_close(&event_writer.report);
	event_writer.instead = -1;
	return event_writer.report.error;
}

void
event_emit(const struct event *event)
{
	int error = errno;
	(void)event_report(event);
	event_print(event);
	errno = error;
}

bool
event_check_output(struct fault *fault)
{
	int error = event_writer.output_error;
	if (error == 0)
		return true;
	return error == EPIPE ? fault_set_quiet(fault, STATUS_OUTPUT)
			      : fault_set(fault, STATUS_OUTPUT, error, "write standard output");
}

int64_t
event_due(void)
{
	return event_writer.due;
}

void
event_settle(void)
{
	char text[64];
	if (event_writer.suppressed == 0)
		return;
	(void)snprintf(
		text, sizeof text, "%" PRIu64 " messages suppressed", event_writer.suppressed);
	if (log_try(text)) {
		event_writer.suppressed = 0;
		event_writer.due = CLOCK_NEVER;
	} else {
		event_writer.due = clock_after(clock_now(), CLOCK_SECOND);
	}
}
