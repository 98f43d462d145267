/* A message a line, as a JSON object; see json.h. */
#include "frame/json.h"

#ifdef SOCKCAT_JANSSON

#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "frame/base64.h"
#include "frame/ending.h"
#include "frame/part.h"
#include "frame/size.h"

/* What other fields may add to the line of a message, … */
#define JSON_OTHERS 65536
/* … what `from` may in a line of ours, where it is left out if it would be longer, … */
#define JSON_FROM 8192
/* … and all else that is not the message. */
#define JSON_ENVELOPE 128

/* One byte of a message is never more: \u001f. */
#define JSON_EXPANSION 6

/* The functions of the library; set once, by json_ready. */
static struct {
	json_t *(*loadb)(const char *bytes, size_t n, size_t flags, json_error_t *error);
	json_t *(*get)(const json_t *object, const char *key);
	const char *(*text)(const json_t *string);
	size_t (*length)(const json_t *string);
	json_t *(*string)(const char *text, size_t n);
	size_t (*dumpb)(const json_t *json, char *out, size_t size, size_t flags);
	/* To be used on what has one owner only, which is all that there is here. */
	void (*destroy)(json_t *json);
} json_library;

static bool
json_ready(const char **why)
{
	static const struct {
		void *to;
		const char *name;
	} rows[] = {
		{ &json_library.loadb, "json_loadb" },
		{ &json_library.get, "json_object_get" },
		{ &json_library.text, "json_string_value" },
		{ &json_library.length, "json_string_length" },
		{ &json_library.string, "json_stringn" },
		{ &json_library.dumpb, "json_dumpb" },
		{ &json_library.destroy, "json_delete" },
	};
	/* The last one of the rows. */
	if (json_library.destroy != NULL)
		return true;
	*why = "the library " SOCKCAT_JANSSON " is not on this machine";
	/* It stays loaded until the program ends. */
	void *library = dlopen(SOCKCAT_JANSSON, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return false;
	*why = "the library " SOCKCAT_JANSSON " is too old";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		void *symbol = dlsym(library, rows[i].name);
		if (symbol == NULL)
			return false;
		/* In C no object pointer is converted to one to a function; POSIX says that they
		 * look alike. */
		memcpy(rows[i].to, &symbol, sizeof symbol);
	}
	return true;
}

static size_t
json_line(const struct frame *frame)
{
	return size_add(size_multiply(frame->max, JSON_EXPANSION), JSON_OTHERS);
}

/* Takes the message out of an object; it is never longer than its text in the line was. */
static enum frame_result
json_take(const struct frame *frame, const json_t *object, unsigned char *bytes,
	struct frame_part *part)
{
	if (!json_is_object(object))
		return part_bad(part, 0, "no JSON object");
	const json_t *text = json_library.get(object, "text");
	const json_t *base64 = json_library.get(object, "base64");
	if ((text == NULL) == (base64 == NULL))
		return part_bad(part, 0, "not one of \"text\" and \"base64\" in the object");
	const json_t *value = text != NULL ? text : base64;
	if (!json_is_string(value))
		return part_bad(part, 0, "\"text\" or \"base64\" that is no string");
	const char *from = json_library.text(value);
	size_t length = json_library.length(value);
	part->message = bytes;
	part->length = length;
	if (text != NULL)
		memcpy(bytes, from, length);
	else if (base64_read((const unsigned char *)from, length, bytes, part) == FRAME_BAD)
		return part_bad(part, 0, "\"base64\" that is not canonical base64");
	return part->length > frame->max ? part_bad(part, 0, PART_TOO_LONG) : FRAME_DONE;
}

static enum frame_result
json_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	/* An integer may be larger than the library's; as it is ignored, it may be rounded. */
	const size_t flags = JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
	json_error_t error;
	enum frame_result result = ending_seek_line(frame, json_line(frame), bytes, n, ended, part);
	if (result != FRAME_DONE)
		return result;
	json_t *json = json_library.loadb((const char *)bytes, part->length, flags, &error);
	if (json == NULL) {
		/* The library counts what it has read. */
		size_t at = error.position > 0 ? (size_t)error.position - 1 : 0;
		bool memory = json_error_code(&error) == json_error_out_of_memory;
		return part_bad(part, at < part->length ? at : part->length,
			memory ? "no memory to read JSON" : "invalid JSON");
	}
	result = json_take(frame, json, bytes, part);
	json_library.destroy(json);
	return result;
}

static size_t
json_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(size_multiply(length, JSON_EXPANSION), JSON_FROM + JSON_ENVELOPE);
}

static size_t
json_limit(const struct frame *frame)
{
	/* With CR LF. */
	return size_add(json_line(frame), 2);
}

static size_t
json_put(unsigned char *out, const char *text)
{
	size_t size = strlen(text);
	memcpy(out, text, size);
	return size;
}

/* The bytes as a JSON string; 0 if they are not UTF-8, or have no room. */
static size_t
json_put_string(unsigned char *out, size_t room, const void *bytes, size_t n)
{
	json_t *string = json_library.string(bytes, n);
	if (string == NULL)
		return 0;
	size_t size = json_library.dumpb(string, (char *)out, room, JSON_ENCODE_ANY);
	json_library.destroy(string);
	return size <= room ? size : 0;
}

/* Digits of a value, with zeros in front, and what stands behind them. */
static size_t
json_put_digits(unsigned char *out, size_t digits, long value, char behind)
{
	for (size_t i = digits; i > 0; i--, value /= 10)
		out[i - 1] = (unsigned char)('0' + value % 10);
	out[digits] = (unsigned char)behind;
	return digits + 1;
}

/* "time":"2026-11-25T10:10:48.123456Z", */
static size_t
json_put_time(unsigned char *out, const struct timespec *time)
{
	struct tm utc;
	size_t put = 0;
	if (gmtime_r(&time->tv_sec, &utc) == NULL || utc.tm_year < -1900 || utc.tm_year > 8099)
		return 0;
	put += json_put(out, "\"time\":\"");
	put += json_put_digits(out + put, 4, utc.tm_year + 1900L, '-');
	put += json_put_digits(out + put, 2, utc.tm_mon + 1L, '-');
	put += json_put_digits(out + put, 2, utc.tm_mday, 'T');
	put += json_put_digits(out + put, 2, utc.tm_hour, ':');
	put += json_put_digits(out + put, 2, utc.tm_min, ':');
	put += json_put_digits(out + put, 2, utc.tm_sec, '.');
	put += json_put_digits(out + put, 6, time->tv_nsec / 1000, 'Z');
	return put + json_put(out + put, "\",");
}

/* "from":"[::1]:9000", – the name of a Unix-domain socket may be any bytes. */
static size_t
json_put_from(unsigned char *out, const char *from)
{
	size_t head = json_put(out, "\"from\":");
	size_t size = json_put_string(out + head, JSON_FROM, from, strlen(from));
	if (size == 0) {
		char *harmless = text_escape(from, strlen(from));
		if (harmless != NULL)
			size = json_put_string(out + head, JSON_FROM, harmless, strlen(harmless));
		free(harmless);
	}
	if (size == 0)
		return 0;
	return head + size + json_put(out + head + size, ",");
}

static size_t
json_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)frame;
	(void)refusal;
	size_t put = json_put(out, "{");
	if (about != NULL) {
		put += json_put_time(out + put, &about->time);
		if (about->from != NULL)
			put += json_put_from(out + put, about->from);
	}
	size_t head = json_put(out + put, "\"text\":");
	size_t room = json_bound(frame, length) - put - head - 2;
	size_t text = json_put_string(out + put + head, room, message, length);
	if (text > 0) {
		put += head + text;
	} else {
		put += json_put(out + put, "\"base64\":\"");
		put += base64_write(message, length, out + put);
		put += json_put(out + put, "\"");
	}
	return put + json_put(out + put, "}\n");
}

#else

static bool
json_ready(const char **why)
{
	*why = "this build is without libjansson";
	return false;
}

/* frame_parse never hands out a frame that is not ready. */
#define json_decode NULL
#define json_bound NULL
#define json_limit NULL
#define json_encode NULL

#endif

const struct frame_format json_format = {
	.name = "json",
	.usage = "json",
	.layout = "one message a line, as an object: {\"time\":...,\"from\":...,\"text\":...}, or "
		  "\"base64\" if it is not UTF-8",
	.cannot = "",
	.ready = json_ready,
	.decode = json_decode,
	.bound = json_bound,
	.limit = json_limit,
	.encode = json_encode,
};
