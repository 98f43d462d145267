/* The lines of a report in JSON: envelope, fields, objects, and text of any bytes. */
#include "base/event_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/event_rows.h"
#include "frame/frame.h"
#include "frame/json_line.h"
#include "frame/part.h"

#include "check.h"

/* The caller frees it. */
static char *
event_json_test_line(const struct event *event, const struct event_envelope *envelope)
{
	char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);
	if (out == NULL)
		abort();
	event_json_print(out, event, envelope);
	if (fclose(out) != 0)
		abort();
	return line;
}

/* Whether the line ends like this. */
static bool
event_json_test_ends(const struct event *event, const char *expected)
{
	static const struct event_envelope at_once;
	char *line = event_json_test_line(event, &at_once);
	size_t size = strlen(line), tail = strlen(expected);
	bool same = size >= tail && strcmp(line + size - tail, expected) == 0;
	if (!same)
		(void)fprintf(stderr, "%sdoes not end with %s", line, expected);
	free(line);
	return same;
}

static bool
event_json_test_is_object(const char *line)
{
	struct frame_part part = { .message = NULL };
	size_t n = strlen(line);
	return n > 0 && line[n - 1] == '\n' && strchr(line, '\n') == line + n - 1 &&
		json_line_parse(NULL, 0, (const unsigned char *)line, n, &part) == FRAME_DONE;
}

/* How many members of this name the line has. */
static int
event_json_test_count(const char *line, const char *name)
{
	int count = 0;
	size_t n = strlen(name);
	for (const char *at = strchr(line, '"'); at != NULL; at = strchr(at + 1, '"'))
		count += strncmp(at + 1, name, n) == 0 && strncmp(at + 1 + n, "\":", 2) == 0;
	return count;
}

/* Every kind with no field, and with every field. */
static void
event_json_test_kinds(void)
{
	static const struct event_envelope envelope = { .session = 1, .dropped = 2 };
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		struct event event = { .kind = (enum event_kind)kind };
		if (event_rows[kind].report[0] == '\0')
			continue;
		char *line = event_json_test_line(&event, &envelope);
		CHECK(event_json_test_is_object(line));
		free(line);
#define EVENT_TEST_SET_TEXT(id) event.id = "text"
#define EVENT_TEST_SET_ADDRESS(id) event.id = "[::1]:1"
#define EVENT_TEST_SET_COUNT(id) event.id = 1
#define EVENT_TEST_SET_TIME(id) event.id = 1
#define EVENT_TEST_SET_RATE(id) event.id = 1
#define EVENT_FIELD(id, type, name) EVENT_TEST_SET_##type(id);
#include "base/event.def"
		line = event_json_test_line(&event, &envelope);
		CHECK(event_json_test_is_object(line));
		CHECK(event_json_test_count(line, "event") == 1);
		CHECK(event_json_test_count(line, "state") <= 1);
		CHECK(event_json_test_count(line, "bytes") == 1);
		CHECK(event_json_test_count(line, "session") == 1);
		free(line);
	}
}

static void
event_json_test_fields(void)
{
	/* Required by the text, though 0 or NULL. */
	CHECK(event_json_test_ends(&(struct event){ .kind = EVENT_session_stats },
		",\"peer\":null,\"bytes\":{\"sent\":0,\"received\":0}}\n"));
	CHECK(event_json_test_ends(&(struct event){ .kind = EVENT_session_stats,
					   .peer = "p",
					   .sent = UINT64_MAX,
					   .messages_sent = 3 },
		"\"peer\":{\"name\":\"p\"},\"bytes\":{\"sent\":18446744073709551615,\"received\":0}"
		","
		"\"messages\":{\"sent\":3,\"received\":0}}\n"));
	/* Those in brackets go together. */
	CHECK(event_json_test_ends(&(struct event){ .kind = EVENT_accepted, .peer = "p", .pid = 7 },
		"\"peer\":{\"name\":\"p\"},\"uid\":0,\"gid\":0,\"pid\":7}\n"));
	CHECK(event_json_test_ends(&(struct event){ .kind = EVENT_accepted, .peer = "p" },
		"\"peer\":{\"name\":\"p\"}}\n"));
	/* Required by the row. */
	CHECK(event_json_test_ends(
		&(struct event){ .kind = EVENT_exit }, ",\"cause\":null,\"status\":0}\n"));
}

static void
event_json_test_addresses(void)
{
	static const struct {
		const char *address, *object;
	} cases[] = {
		{ "127.0.0.1:80",
			"{\"name\":\"127.0.0.1:80\",\"host\":\"127.0.0.1\",\"port\":80}" },
		{ "[::1]:80", "{\"name\":\"[::1]:80\",\"host\":\"::1\",\"port\":80}" },
		{ "2:4294967295",
			"{\"name\":\"2:4294967295\",\"host\":\"2\",\"port\":4294967295}" },
		{ "2:4294967296", "{\"name\":\"2:4294967296\"}" },
		{ "2:99999999999999999999", "{\"name\":\"2:99999999999999999999\"}" },
		{ "/a:80", "{\"name\":\"/a:80\"}" },
		{ "./a:80", "{\"name\":\"./a:80\"}" },
		{ "@a:80", "{\"name\":\"@a:80\"}" },
		{ ":80", "{\"name\":\":80\",\"host\":\"\",\"port\":80}" },
		{ "[:80", "{\"name\":\"[:80\",\"host\":\"[\",\"port\":80}" },
		{ "a:", "{\"name\":\"a:\"}" },
		{ "", "{\"name\":\"\"}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[128];
		(void)snprintf(expected, sizeof expected, ",\"peer\":%s}\n", cases[i].object);
		CHECK(event_json_test_ends(
			&(struct event){ .kind = EVENT_accepted, .peer = cases[i].address },
			expected));
	}
}

static void
event_json_test_text(void)
{
	static const struct {
		const char *bytes, *string;
	} cases[] = {
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\"\\\n\t\x01\x1b[0m\x7f", "\\\"\\\\\\n\\t\\u0001\\u001B[0m\\u007f" },
		/* Invalid, overlong, a surrogate, cut. */
		{ "\xff.\xc0\xaf.\xed\xa0\x80.\xe2\x82",
			"\xef\xbf\xbd.\xef\xbf\xbd\xef\xbf\xbd."
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\xef\xbf\xbd" },
		/* CSI, a bidirectional override, a tag. */
		{ "\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81", "\\u009b\\u202e\\udb40\\udc41" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[128];
		(void)snprintf(expected, sizeof expected, ",\"cause\":\"%s\"}\n", cases[i].string);
		CHECK(event_json_test_ends(
			&(struct event){ .kind = EVENT_accept_failed, .cause = cases[i].bytes },
			expected));
	}
}

int
main(void)
{
	event_json_test_kinds();
	event_json_test_fields();
	event_json_test_addresses();
	event_json_test_text();
	static const struct event_envelope envelope = {
		.time = { .tv_sec = 1764000000, .tv_nsec = 1999 }, .session = 7, .dropped = 9
	};
	char *line = event_json_test_line(
		&(struct event){ .kind = EVENT_program_closed_input, .object = "cat" }, &envelope);
	CHECK(strcmp(line,
		      "{\"v\":1,\"event\":\"program\",\"state\":\"closed-input\","
		      "\"time\":\"2025-11-24T16:00:00.000001Z\",\"session\":7,\"dropped\":9,"
		      "\"object\":\"cat\"}\n") == 0);
	free(line);
	return check_verdict("event_json");
}
