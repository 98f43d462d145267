/* Events and the text writer; see event.h. */
#include "base/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/ratelimit.h"

enum event_level { EVENT_ALWAYS, EVENT_VERBOSE, EVENT_DEBUG, EVENT_HIDDEN };
enum event_origin { EVENT_RUN, EVENT_CLIENT, EVENT_OUTPUT };
enum event_type { EVENT_TEXT, EVENT_COUNT };

struct event_row {
	enum event_level level;
	enum event_origin origin;
	const char *text;
};

/* A row in the words of another style. */
struct event_wording {
	enum event_level level;
	bool named;       /* the line begins with the program's name */
	bool output;      /* the line goes to standard output */
	const char *text; /* NULL: as in event_rows */
};

static const struct event_row event_rows[EVENT_KINDS] = {
#define EVENT(id, level, origin, text) [EVENT_##id] = { EVENT_##level, EVENT_##origin, text },
#include "base/event.def"
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

struct event_field {
	const char *name;
	enum event_type type;
	size_t offset;
};

static const struct event_field event_fields[] = {
#define EVENT_FIELD(id, type) { #id, EVENT_##type, offsetof(struct event, id) },
#include "base/event.def"
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

/* The field that a template names up to its '|' or '}'. */
static const struct event_field *
event_find(const char *name)
{
	size_t length = strcspn(name, "|}");
	for (size_t i = 0; i < sizeof event_fields / sizeof event_fields[0]; i++)
		if (strlen(event_fields[i].name) == length &&
			memcmp(event_fields[i].name, name, length) == 0)
			return &event_fields[i];
	return NULL;
}

static uint64_t
event_count(const struct event *event, const struct event_field *field)
{
	uint64_t count;
	memcpy(&count, (const char *)event + field->offset, sizeof count);
	return count;
}

static const char *
event_string(const struct event *event, const struct event_field *field)
{
	const char *text;
	memcpy(&text, (const char *)event + field->offset, sizeof text);
	return text;
}

/* The port in "host:port"; NULL: there is none. */
static const char *
event_port(const char *text)
{
	const char *colon = strrchr(text, ':');
	return colon != NULL && colon[1] != '\0' &&
			colon[1 + strspn(colon + 1, "0123456789")] == '\0'
		? colon + 1
		: NULL;
}

/* The name of the port's service for the event's protocol (services(5)); NULL: it has none. */
static const char *
event_service(const struct event *event, const char *port)
{
	if (event_writer.numeric || event->protocol == NULL)
		return NULL;
	const struct servent *service =
		getservbyport(htons((uint16_t)strtoul(port, NULL, 10)), event->protocol);
	return service != NULL ? service->s_name : NULL;
}

/* Whether a text has the part that follows the field's name. */
static bool
event_has_text(const struct event *event, const char *text, const char *part)
{
	if (text == NULL || part[0] != '|' || part[1] == 'h')
		return text != NULL;
	const char *port = event_port(text);
	return port != NULL && (part[1] != 'n' || event_service(event, port) != NULL);
}

/* Whether a field of the bracketed part, which ends at ']', is set. */
static bool
event_has_any(const struct event *event, const char *part)
{
	for (; *part != ']'; part++) {
		const struct event_field *field = *part == '{' ? event_find(part + 1) : NULL;
		if (field == NULL)
			continue;
		if (field->type == EVENT_COUNT ? event_count(event, field) != 0
					       : event_has_text(event, event_string(event, field),
							 part + 1 + strlen(field->name)))
			return true;
	}
	return false;
}

/* Writes the part of a text that `part` names: all, "|host", "|port", "|name" or "|service". */
static void
event_print_text(FILE *out, const struct event *event, const char *text, const char *part)
{
	const char *port = event_port(text);
	if (*part != '|') {
		(void)fputs(text, out);
	} else if (part[1] == 'h') {
		bool bracket = text[0] == '[' && port != NULL;
		size_t end = port != NULL ? (size_t)(port - text) - 1 : strlen(text);
		(void)fprintf(out, "%.*s", (int)(end - 2 * bracket), text + bracket);
	} else if (port != NULL && part[1] == 'p') {
		(void)fputs(port, out);
	} else if (port != NULL) {
		const char *name = event_service(event, port);
		if (name == NULL)
			name = "*";
		if (part[1] == 'n')
			(void)fputs(name, out);
		else
			(void)fprintf(out, "[%s/%s]", event->protocol, name);
	}
}

/* Writes the field whose name begins at `at`, after the '{'. */
static void
event_print_field(FILE *out, const struct event *event, const char *at)
{
	const struct event_field *field = event_find(at);
	if (field == NULL)
		return;
	const char *one = at + strlen(field->name);
	if (field->type == EVENT_TEXT) {
		const char *text = event_string(event, field);
		event_print_text(out, event, text != NULL ? text : "?", one);
		return;
	}
	uint64_t count = event_count(event, field);
	(void)fprintf(out, "%" PRIu64, count);
	if (*one != '|')
		return;
	one++;
	const char *many = one + strcspn(one, "|") + 1;
	const char *noun = count == 1 ? one : many;
	(void)fprintf(out, " %.*s", (int)strcspn(noun, "|}"), noun);
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
	for (const char *at = wording.text; *at != '\0'; at++) {
		if (*at == '[' && !event_has_any(event, at)) {
			at += strcspn(at, "]");
		} else if (*at == '{') {
			event_print_field(out, event, at + 1);
			at += strcspn(at, "}");
		} else if (*at != '[' && *at != ']') {
			(void)fputc(*at, out);
		}
	}
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
