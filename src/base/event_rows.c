/* The rows and fields of event.def; see event_rows.h. */
#include "base/event_rows.h"

#include <string.h>

const struct event_row event_rows[EVENT_KINDS] = {
#define EVENT(id, level, origin, report, text) \
	[EVENT_##id] = { EVENT_##level, EVENT_##origin, report, text },
#include "base/event.def"
};

static const struct event_field event_rows_fields[] = {
#define EVENT_FIELD(id, type, name) { #id, name, EVENT_##type, offsetof(struct event, id) },
#include "base/event.def"
};

const struct event_field *
event_rows_field(size_t i)
{
	return i < sizeof event_rows_fields / sizeof event_rows_fields[0] ? &event_rows_fields[i]
									  : NULL;
}

const struct event_field *
event_rows_find(const char *id, size_t length)
{
	const struct event_field *field;
	for (size_t i = 0; (field = event_rows_field(i)) != NULL; i++)
		if (strlen(field->id) == length && memcmp(field->id, id, length) == 0)
			return field;
	return NULL;
}

uint64_t
event_rows_count(const struct event *event, const struct event_field *field)
{
	uint64_t count;
	memcpy(&count, (const char *)event + field->offset, sizeof count);
	return count;
}

const char *
event_rows_text(const struct event *event, const struct event_field *field)
{
	const char *text;
	memcpy(&text, (const char *)event + field->offset, sizeof text);
	return text;
}

bool
event_rows_has(const struct event *event, const struct event_field *field)
{
	return field->type == EVENT_TEXT || field->type == EVENT_ADDRESS
		? event_rows_text(event, field) != NULL
		: event_rows_count(event, field) != 0;
}

/* Whether the words, of which the first is none of them, contain the field. */
static bool
event_rows_lists(const char *words, const struct event_field *field)
{
	while ((words = strchr(words, ' ')) != NULL) {
		words++;
		if (event_rows_find(words, strcspn(words, " ")) == field)
			return true;
	}
	return false;
}

bool
event_rows_requires(enum event_kind kind, const struct event_field *field)
{
	const struct event_row *row = &event_rows[kind];
	for (const char *at = row->text; *at != '\0'; at++)
		if (*at == '[')
			at += strcspn(at, "]");
		else if (*at == '{' && event_rows_find(at + 1, strcspn(at + 1, "|}")) == field)
			return true;
	return event_rows_lists(row->report, field);
}

bool
event_rows_accompanies(const struct event *event, const struct event_field *field)
{
	const char *at = event_rows[event->kind].text;
	while ((at = strchr(at, '[')) != NULL) {
		bool inside = false, set = false;
		for (; *at != ']'; at++) {
			const struct event_field *one =
				*at == '{' ? event_rows_find(at + 1, strcspn(at + 1, "|}")) : NULL;
			inside |= one != NULL && one == field;
			set |= one != NULL && event_rows_has(event, one);
		}
		if (inside && set)
			return true;
	}
	return false;
}

const char *
event_rows_port(const char *address)
{
	const char *colon = strrchr(address, ':');
	return colon != NULL && colon[1] != '\0' &&
			colon[1 + strspn(colon + 1, "0123456789")] == '\0'
		? colon + 1
		: NULL;
}
