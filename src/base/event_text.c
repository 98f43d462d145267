/* The text of an event; see event_text.h. */
#include "base/event_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/amount.h"
#include "base/clock.h"
#include "base/event_rows.h"

struct event_text {
	FILE *out;
	const struct event *event;
	bool numeric;
};

/* The field that a template names up to its '|' or '}'. */
static const struct event_field *
event_text_find(const char *name)
{
	return event_rows_find(name, strcspn(name, "|}"));
}

static bool
event_text_is_string(const struct event_field *field)
{
	return field->type == EVENT_TEXT || field->type == EVENT_ADDRESS;
}

/* The name of the port's service for the event's protocol (services(5)); NULL: it has none. */
static const char *
event_text_service(const struct event_text *text, const char *port)
{
	const char *protocol = text->event->protocol;
	if (text->numeric || protocol == NULL)
		return NULL;
	const struct servent *service =
		getservbyport(htons((uint16_t)strtoul(port, NULL, 10)), protocol);
	return service != NULL ? service->s_name : NULL;
}

/* Whether a string has the part that follows the field's name. */
static bool
event_text_has_part(const struct event_text *text, const char *string, const char *part)
{
	if (string == NULL || part[0] != '|' || part[1] == 'h')
		return string != NULL;
	const char *port = event_rows_port(string);
	return port != NULL && (part[1] != 'n' || event_text_service(text, port) != NULL);
}

/* Whether a field of the bracketed part, which ends at ']', is set. */
static bool
event_text_has_any(const struct event_text *text, const char *part)
{
	for (; *part != ']'; part++) {
		const struct event_field *field = *part == '{' ? event_text_find(part + 1) : NULL;
		if (field == NULL)
			continue;
		if (event_text_is_string(field)
				? event_text_has_part(text, event_rows_text(text->event, field),
					  part + 1 + strlen(field->id))
				: event_rows_has(text->event, field))
			return true;
	}
	return false;
}

/* Writes the part of a string that `part` names: all, "|host", "|port", "|name" or "|service". */
static void
event_text_put_string(const struct event_text *text, const char *string, const char *part)
{
	const char *port = event_rows_port(string);
	if (*part != '|') {
		(void)fputs(string, text->out);
	} else if (part[1] == 'h') {
		bool bracket = string[0] == '[' && port != NULL;
		size_t end = port != NULL ? (size_t)(port - string) - 1 : strlen(string);
		(void)fprintf(text->out, "%.*s", (int)(end - 2 * bracket), string + bracket);
	} else if (port != NULL && part[1] == 'p') {
		(void)fputs(port, text->out);
	} else if (port != NULL) {
		const char *name = event_text_service(text, port);
		if (name == NULL)
			name = "*";
		if (part[1] == 'n')
			(void)fputs(name, text->out);
		else
			(void)fprintf(text->out, "[%s/%s]", text->event->protocol, name);
	}
}

/* "1.3 MB/s" of a rate, "1.3 MB" of a count {field|size}, "0:17" of a time {field|span}. Returns
 * whether the field is one of these; `part`: what follows its name. */
static bool
event_text_put_amount(FILE *out, const struct event_field *field, uint64_t count, const char *part)
{
	char text[AMOUNT_ROOM];
	if (field->type == EVENT_RATE)
		amount_put_rate(text, count);
	else if (field->type == EVENT_TIME && strncmp(part, "|span}", 6) == 0)
		amount_put_span(text, count);
	else if (field->type == EVENT_COUNT && strncmp(part, "|size}", 6) == 0)
		amount_put_size(text, count);
	else
		return false;
	(void)fputs(text, out);
	return true;
}

/* Writes the field whose name begins at `at`, after the '{'. */
static void
event_text_put_field(const struct event_text *text, const char *at)
{
	const struct event_field *field = event_text_find(at);
	if (field == NULL)
		return;
	const char *one = at + strlen(field->id);
	if (event_text_is_string(field)) {
		const char *string = event_rows_text(text->event, field);
		event_text_put_string(text, string != NULL ? string : "?", one);
		return;
	}
	uint64_t count = event_rows_count(text->event, field);
	if (event_text_put_amount(text->out, field, count, one))
		return;
	if (field->type == EVENT_TIME) {
		(void)fprintf(text->out, *one == '|' ? "%.3f" : "%.1fms",
			(double)count / CLOCK_MILLISECOND);
		return;
	}
	(void)fprintf(text->out, "%" PRIu64, count);
	if (*one != '|')
		return;
	one++;
	const char *many = one + strcspn(one, "|") + 1;
	const char *noun = count == 1 ? one : many;
	(void)fprintf(text->out, " %.*s", (int)strcspn(noun, "|}"), noun);
}

void
event_text_print(FILE *out, const struct event *event, const char *text, bool numeric)
{
	const struct event_text print = { out, event, numeric };
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '[' && !event_text_has_any(&print, at)) {
			at += strcspn(at, "]");
		} else if (*at == '{') {
			event_text_put_field(&print, at + 1);
			at += strcspn(at, "}");
		} else if (*at != '[' && *at != ']') {
			(void)fputc(*at, out);
		}
	}
}
