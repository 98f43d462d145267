/* Events and the text writer; see event.h. */
#include "base/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event_rows.h"
#include "base/event_text.h"
#include "base/log.h"
#include "base/ratelimit.h"

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
} event_writer = { .due = CLOCK_NEVER };

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
event_wants(enum event_kind kind)
{
	enum event_level level = event_wording(kind).level;
	return level < EVENT_HIDDEN && (unsigned)level <= event_writer.level;
}

void
event_enter(uint64_t session)
{
	event_writer.session = session;
}

char *
event_text(const struct event *event)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	const struct event_wording wording = event_wording(event->kind);
	if (wording.named && event_writer.level >= EVENT_DEBUG && event_writer.session != 0)
		(void)fprintf(out, "[%" PRIu64 "] ", event_writer.session);
	event_text_print(out, event, wording.text, event_writer.numeric);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void
event_emit(const struct event *event)
{
	/* Another style has its own choice of the rows that it words. */
	bool always = event->always && event_wordings[event_writer.style][event->kind].text == NULL;
	if (!always && !event_wants(event->kind))
		return;
	int error = errno;
	int64_t now = clock_now();
	bool limited = event_writer.limited && event_rows[event->kind].origin == EVENT_CLIENT;
	if (limited && !ratelimit_take(&event_writer.ratelimit, now)) {
		if (event_writer.suppressed++ == 0)
			event_writer.due = clock_after(now, CLOCK_SECOND);
	} else {
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
event_owes(void)
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
