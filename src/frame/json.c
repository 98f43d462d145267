/*
 * One JSON object per line: {"time":…,"from":…,"text":…}, or "base64" instead of "text" if the
 * bytes are not UTF-8. The parser is our own (json_line.h): jansson rejects what the grammar allows
 * (1e400, NUL in a name), and json-c and cJSON cut names at a NUL.
 */
#include "frame/formats.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/text.h"
#include "frame/base64.h"
#include "frame/ending.h"
#include "frame/json_line.h"
#include "frame/part.h"
#include "frame/size.h"

/* The most bytes of a received line besides the message. */
#define JSON_OTHERS 65536
/* The longest value of "from" that is sent; a longer one is omitted. */
#define JSON_FROM 8192
/* The most bytes of a sent line besides the message. */
#define JSON_PLUS (JSON_FROM + 128)

/* The members of an object that matter. */
enum json_members { JSON_TEXT, JSON_BASE64 };

#define JSON_BREAK ((const unsigned char *)"\n")

static size_t
json_limit(const struct frame *frame)
{
	return size_add(size_multiply(frame->max, JSON_TEXT_EXPANSION), JSON_OTHERS);
}

/* Decodes the message within the line, which is never shorter. */
static enum frame_result
json_take(const struct frame *frame, const struct json_member *members, unsigned char *bytes,
	struct frame_part *part)
{
	const struct json_member *text = &members[JSON_TEXT], *base64 = &members[JSON_BASE64];
	const struct json_member *member = text->there ? text : base64;
	unsigned char *message = bytes + member->from;
	size_t bad;
	if (text->there == base64->there)
		return part_bad(part, 0, "not one of \"text\" and \"base64\" in the object");
	if (!member->string)
		return part_bad(part, 0, "\"text\" or \"base64\" that is no string");
	part->message = message;
	if (!json_line_unescape(message, member->to - member->from, message, &part->length, &bad))
		return part_bad(part, member->from + bad, "half of a surrogate pair");
	if (base64->there && base64_read(message, part->length, message, part) == FRAME_BAD)
		return part_bad(part, 0, "\"base64\" that is not canonical base64");
	return part->length > frame->max ? part_bad(part, 0, PART_TOO_LONG) : FRAME_DONE;
}

/* Parses a line when it is complete, and an incomplete one each time its length has doubled. So
 * invalid JSON is detected early, in linear time. */
static enum frame_result
json_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t limit = json_limit(frame), end = ending_find(bytes, n, part->scanned, JSON_BREAK, 1);
	bool whole = end != SIZE_MAX || (part->ended && !frame->strict);
	part->scanned = n;
	end = end != SIZE_MAX ? end : n;
	if (end > limit)
		return part_bad(part, limit, PART_TOO_LONG);
	if (!whole && !part->ended && n / 2 < part->state)
		return FRAME_MORE;
	part->state = n;
	struct json_member members[] = {
		[JSON_TEXT] = { .name = "text" }, [JSON_BASE64] = { .name = "base64" }
	};
	enum frame_result result = json_line_parse(members, 2, bytes, end, part);
	if (whole && result == FRAME_MORE)
		return part_bad(part, end, "incomplete JSON");
	if (!whole)
		return result == FRAME_DONE ? FRAME_MORE : result;
	part->consumed = end < n ? end + 1 : n;
	return result == FRAME_DONE ? json_take(frame, members, bytes, part) : result;
}

static size_t
json_put(unsigned char *out, const char *text)
{
	size_t size = strlen(text);
	memcpy(out, text, size);
	return size;
}

/* Writes "time":"2026-11-25T10:10:48.123456Z", */
static size_t
json_put_time(unsigned char *out, const struct timespec *time)
{
	size_t put = json_put(out, "\"time\":\"");
	if (!json_text_put_time(out + put, time))
		return 0;
	put += JSON_TEXT_TIME;
	return put + json_put(out + put, "\",");
}

/* Writes "from":"[::1]:9000", escaped if it is not UTF-8: a Unix socket's path may be any bytes. */
static size_t
json_put_from(unsigned char *out, const char *from)
{
	size_t head = json_put(out, "\"from\":");
	size_t size = json_text_put_string(out + head, JSON_FROM, from, strlen(from));
	if (size == 0) {
		char *escaped = text_escape(from, strlen(from));
		if (escaped != NULL)
			size = json_text_put_string(
				out + head, JSON_FROM, escaped, strlen(escaped));
		free(escaped);
	}
	if (size == 0)
		return 0;
	return head + size + json_put(out + head + size, ",");
}

static size_t
json_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)refusal;
	size_t put = json_put(out, "{");
	if (about != NULL) {
		put += json_put_time(out + put, &about->time);
		if (about->from != NULL)
			put += json_put_from(out + put, about->from);
	}
	size_t head = json_put(out + put, "\"text\":");
	size_t room = frame_bound(&frame->format->growth, length) - put - head - 2;
	size_t text = json_text_put_string(out + put + head, room, (const char *)message, length);
	if (text > 0) {
		put += head + text;
	} else {
		put += json_put(out + put, "\"base64\":\"");
		put += base64_write(message, length, out + put);
		put += json_put(out + put, "\"");
	}
	return put + json_put(out + put, "}\n");
}

const struct frame_format json_format = {
	.name = "json",
	.usage = "json",
	.layout = "one message a line, as an object: {\"time\":...,\"from\":...,\"text\":...}, or "
		  "\"base64\" if it is not UTF-8",
	.cannot = "",
	.decode = json_decode,
	.growth = { .per = 1,
		.times = JSON_TEXT_EXPANSION,
		.plus = JSON_PLUS,
		.spare = JSON_OTHERS },
	.encode = json_encode,
};
