/* An event as a line of JSON; see event_json.h. */
#include "base/event_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event_rows.h"
#include "base/json_text.h"
#include "base/text.h"

/* The version of the format. */
#define EVENT_JSON_VERSION 1

/* The largest port: those of AF_VSOCK have 32 bits. */
#define EVENT_JSON_PORT UINT32_MAX

/* Writes a character of more than one byte; those that would change how a terminal shows the line
 * are escaped, as a surrogate pair above U+FFFF. */
static void
event_json_put_sequence(FILE *out, const unsigned char *bytes, size_t size)
{
	static const unsigned char lead_bits[] = { 0, 0, 0x1f, 0x0f, 0x07 };
	uint32_t character = bytes[0] & lead_bits[size];
	for (size_t i = 1; i < size; i++)
		character = character << 6 | (bytes[i] & 0x3fu);
	if (!text_is_spoofing(character))
		(void)fwrite(bytes, 1, size, out);
	else if (character <= 0xffff)
		(void)fprintf(out, "\\u%04" PRIx32, character);
	else
		(void)fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32,
			0xd800 + ((character - 0x10000) >> 10),
			0xdc00 + ((character - 0x10000) & 0x3ff));
}

/* Writes n bytes as a string. */
static void
event_json_put_bytes(FILE *out, const char *text, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char ascii[JSON_TEXT_EXPANSION];
	(void)fputc('"', out);
	for (size_t i = 0, valid; i < n; i += valid) {
		size_t size = json_text_sequence(bytes + i, n - i, &valid);
		if (bytes[i] == 0x7f)
			(void)fputs("\\u007f", out);
		else if (size == 1)
			(void)fwrite(ascii, 1, json_text_put_ascii(ascii, bytes[i]), out);
		else if (size > 0 && valid == size)
			event_json_put_sequence(out, bytes + i, size);
		else
			(void)fputs("\xef\xbf\xbd", out);
		/* One U+FFFD for each maximal part of a sequence (Unicode, 3.9). */
		valid += valid == 0;
	}
	(void)fputc('"', out);
}

static void
event_json_put_text(FILE *out, const char *text)
{
	if (text != NULL)
		event_json_put_bytes(out, text, strlen(text));
	else
		(void)fputs("null", out);
}

/* Writes {"name":"[::1]:80","host":"::1","port":80}; of a path only the name. */
static void
event_json_put_address(FILE *out, const char *address)
{
	if (address == NULL) {
		(void)fputs("null", out);
		return;
	}
	(void)fputs("{\"name\":", out);
	event_json_put_text(out, address);
	bool path = address[0] == '@' || strchr(address, '/') != NULL;
	const char *port = !path ? event_rows_port(address) : NULL;
	unsigned long long number =
		port != NULL && strlen(port) <= 10 ? strtoull(port, NULL, 10) : UINT64_MAX;
	if (number <= EVENT_JSON_PORT) {
		size_t length = (size_t)(port - address) - 1;
		bool bracket = length > 1 && address[0] == '[' && address[length - 1] == ']';
		(void)fputs(",\"host\":", out);
		event_json_put_bytes(out, address + bracket, length - 2 * bracket);
		(void)fprintf(out, ",\"port\":%llu", number);
	}
	(void)fputc('}', out);
}

static void
event_json_put_value(FILE *out, const struct event *event, const struct event_field *field)
{
	switch (field->type) {
	case EVENT_TEXT:
		event_json_put_text(out, event_rows_text(event, field));
		break;
	case EVENT_ADDRESS:
		event_json_put_address(out, event_rows_text(event, field));
		break;
	case EVENT_COUNT:
	case EVENT_RATE:
		(void)fprintf(out, "%" PRIu64, event_rows_count(event, field));
		break;
	case EVENT_TIME:
		(void)fprintf(out, "%" PRIu64 ".%03" PRIu64,
			event_rows_count(event, field) / CLOCK_MILLISECOND,
			event_rows_count(event, field) / 1000 % 1000);
		break;
	}
}

/* The length of the name of the field's object; 0: it is in none. */
static size_t
event_json_object(const struct event_field *field)
{
	const char *dot = strchr(field->name, '.');
	return dot != NULL ? (size_t)(dot - field->name) : 0;
}

static bool
event_json_is_in(const struct event_field *field, const struct event_field *first)
{
	size_t length = event_json_object(first);
	return field != NULL && event_json_object(field) == length &&
		strncmp(field->name, first->name, length) == 0;
}

/* The state of the row has precedence over the field. */
static bool
event_json_shows(const struct event *event, const struct event_field *field)
{
	if (strcmp(field->name, "state") == 0 &&
		strchr(event_rows[event->kind].report, ':') != NULL)
		return false;
	return event_rows_has(event, field) || event_rows_requires(event->kind, field) ||
		event_rows_accompanies(event, field);
}

/* Writes the fields of an object, which begin with number `first`, if one is to be shown. Returns
 * the number of the field behind them. */
static size_t
event_json_put_object(FILE *out, const struct event *event, size_t first)
{
	const struct event_field *one = event_rows_field(first), *field;
	size_t length = event_json_object(one), end = first;
	bool shown = false;
	for (; field = event_rows_field(end), event_json_is_in(field, one); end++)
		shown |= event_json_shows(event, field);
	if (!shown)
		return end;
	(void)fprintf(out, ",\"%.*s\":{", (int)length, one->name);
	for (size_t i = first; i < end; i++) {
		field = event_rows_field(i);
		(void)fprintf(out, "%s\"%s\":", i > first ? "," : "", field->name + length + 1);
		event_json_put_value(out, event, field);
	}
	(void)fputc('}', out);
	return end;
}

/* Writes the name and the state of the row. */
static void
event_json_put_row(FILE *out, const char *report)
{
	size_t length = strcspn(report, ": ");
	(void)fprintf(out, "\"event\":\"%.*s\"", (int)length, report);
	if (report[length] != ':')
		return;
	report += length + 1;
	(void)fprintf(out, ",\"state\":\"%.*s\"", (int)strcspn(report, " "), report);
}

void
event_json_print(FILE *out, const struct event *event, const struct event_envelope *envelope)
{
	unsigned char time[JSON_TEXT_TIME];
	(void)fprintf(out, "{\"v\":%d,", EVENT_JSON_VERSION);
	event_json_put_row(out, event_rows[event->kind].report);
	if (json_text_put_time(time, &envelope->time))
		(void)fprintf(out, ",\"time\":\"%.*s\"", JSON_TEXT_TIME, time);
	if (envelope->session != 0)
		(void)fprintf(out, ",\"session\":%" PRIu64, envelope->session);
	if (envelope->dropped != 0)
		(void)fprintf(out, ",\"dropped\":%" PRIu64, envelope->dropped);
	const struct event_field *field;
	for (size_t i = 0; (field = event_rows_field(i)) != NULL;) {
		if (event_json_object(field) > 0) {
			i = event_json_put_object(out, event, i);
			continue;
		}
		if (event_json_shows(event, field)) {
			(void)fprintf(out, ",\"%s\":", field->name);
			event_json_put_value(out, event, field);
		}
		i++;
	}
	(void)fputs("}\n", out);
}
