/* Fuzzes the lines of a report: one line of UTF-8 that is a JSON object, whatever the texts are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/event_json.h"
#include "base/event_rows.h"
#include "frame/json_line.h"
#include "frame/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The texts of the input, which are separated by NUL, one after the other and then again. */
struct event_json_fuzz {
	const char *texts, *next, *end;
};

static const char *
event_json_fuzz_take(struct event_json_fuzz *fuzz)
{
	if (fuzz->next >= fuzz->end)
		fuzz->next = fuzz->texts;
	const char *text = fuzz->next;
	fuzz->next += strlen(text) + 1;
	return text;
}

static void
event_json_fuzz_check(const char *line, size_t size)
{
	struct frame_part part = { .message = NULL };
	const unsigned char *bytes = (const unsigned char *)line;
	if (size == 0 || memchr(line, '\n', size) != line + size - 1)
		abort();
	for (size_t i = 0; i + 1 < size; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			abort();
	/* The parser rejects invalid UTF-8. */
	if (json_line_parse(NULL, 0, bytes, size, &part) != FRAME_DONE)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2 || n > 4096)
		return 0;
	char *texts = malloc(n), *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);
	if (texts == NULL || out == NULL)
		abort();
	memcpy(texts, bytes + 1, n - 1);
	texts[n - 1] = '\0';
	struct event_json_fuzz fuzz = { texts, texts, texts + n };
	struct event event = { .kind = (enum event_kind)(bytes[0] % EVENT_KINDS) };
#define EVENT_FUZZ_SET_TEXT(id) event.id = event_json_fuzz_take(&fuzz)
#define EVENT_FUZZ_SET_ADDRESS(id) event.id = event_json_fuzz_take(&fuzz)
#define EVENT_FUZZ_SET_COUNT(id) event.id = bytes[0]
#define EVENT_FUZZ_SET_TIME(id) event.id = bytes[0]
#define EVENT_FUZZ_SET_RATE(id) event.id = bytes[0]
#define EVENT_FIELD(id, type, name) EVENT_FUZZ_SET_##type(id);
#include "base/event.def"
	static const struct event_envelope envelope = { .session = 1, .dropped = 1 };
	event_json_print(out, &event, &envelope);
	if (fclose(out) != 0)
		abort();
	event_json_fuzz_check(line, size);
	free(line);
	free(texts);
	return 0;
}
