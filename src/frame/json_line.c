/* JSON objects; see json_line.h. */
#include "frame/json_line.h"

#include <string.h>

#include "base/json_text.h"
#include "frame/part.h"

/* The largest nesting. */
#define JSON_LINE_DEPTH 2048

/* The longest escaped form of a name that matters. */
#define JSON_LINE_ESCAPED ((size_t)6 * JSON_LINE_NAME_MAX)

enum json_line_wanted {
	JSON_LINE_VALUE,
	JSON_LINE_ELEMENT, /* the first value of an array, or its end */
	JSON_LINE_NAME,
	JSON_LINE_MEMBER, /* the first name of an object, or its end */
	JSON_LINE_COLON,
	JSON_LINE_BEHIND /* a value: a comma, or the end of the array or object */
};

struct json_line_parser {
	struct json_member *members;
	size_t count;
	const unsigned char *bytes;
	size_t n, at;
	struct frame_part *part;
	enum json_line_wanted wanted;
	struct json_member *member; /* of the next value; NULL: it is ignored */
	size_t depth;
	unsigned char objects[JSON_LINE_DEPTH / 8]; /* bits: which levels are objects */
};

/* The input has ended, or the byte is invalid. */
static enum frame_result
json_line_stop(const struct json_line_parser *parser)
{
	return parser->at == parser->n ? FRAME_MORE
				       : part_bad(parser->part, parser->at, "invalid JSON");
}

static bool
json_line_take(struct json_line_parser *parser, const char *set)
{
	if (parser->at == parser->n || parser->bytes[parser->at] == '\0' ||
		strchr(set, parser->bytes[parser->at]) == NULL)
		return false;
	parser->at++;
	return true;
}

static enum frame_result
json_line_word(struct json_line_parser *parser, const char *word)
{
	for (; *word != '\0'; word++)
		if (!json_line_take(parser, (char[]){ *word, '\0' }))
			return json_line_stop(parser);
	return FRAME_DONE;
}

static bool
json_line_digits(struct json_line_parser *parser)
{
	bool any = false;
	while (json_line_take(parser, "0123456789"))
		any = true;
	return any;
}

static enum frame_result
json_line_number(struct json_line_parser *parser)
{
	(void)json_line_take(parser, "-");
	if (!json_line_take(parser, "0") && !json_line_digits(parser))
		return json_line_stop(parser);
	if (json_line_take(parser, ".") && !json_line_digits(parser))
		return json_line_stop(parser);
	if (json_line_take(parser, "eE")) {
		(void)json_line_take(parser, "+-");
		if (!json_line_digits(parser))
			return json_line_stop(parser);
	}
	return FRAME_DONE;
}

static bool
json_line_escape(struct json_line_parser *parser)
{
	if (json_line_take(parser, "\"\\/bfnrt"))
		return true;
	bool good = json_line_take(parser, "u");
	for (int i = 0; i < 4 && good; i++)
		good = json_line_take(parser, "0123456789abcdefABCDEF");
	return good;
}

/* Parses from the opening quote to behind the closing one. */
static enum frame_result
json_line_string(struct json_line_parser *parser)
{
	for (parser->at++; parser->at < parser->n;) {
		const unsigned char *bytes = parser->bytes + parser->at;
		size_t valid = 0, size = 0;
		if (bytes[0] == '"' || bytes[0] == '\\') {
			parser->at++;
			if (bytes[0] == '"')
				return FRAME_DONE;
			if (!json_line_escape(parser))
				return json_line_stop(parser);
			continue;
		}
		if (bytes[0] >= 0x20)
			size = json_text_sequence(bytes, parser->n - parser->at, &valid);
		parser->at += valid;
		if (size == 0 || valid < size)
			return json_line_stop(parser);
	}
	return FRAME_MORE;
}

static uint32_t
json_line_hex(const unsigned char *digits)
{
	uint32_t value = 0;
	for (size_t i = 0; i < 4; i++) {
		unsigned char digit = digits[i];
		value = value << 4 | (digit <= '9' ? digit & 0xfu : (digit & 0xfu) + 9);
	}
	return value;
}

static size_t
json_line_put(uint32_t character, unsigned char *out)
{
	size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	for (size_t i = size; i > 1; i--, character >>= 6)
		out[i - 1] = (unsigned char)(0x80 | (character & 0x3f));
	out[0] = (unsigned char)(size == 1 ? character : (0xf00u >> size & 0xf0) | character);
	return size;
}

/* Decodes the \u escape at `in`, and the second one of a surrogate pair. Returns the end of the
 * escape. *character is a surrogate if it has no partner. */
static size_t
json_line_unicode(const unsigned char *in, size_t n, uint32_t *character)
{
	*character = json_line_hex(in + 2);
	if (*character < 0xd800 || *character > 0xdbff || n < 12 || in[6] != '\\' || in[7] != 'u')
		return 6;
	uint32_t low = json_line_hex(in + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return 6;
	*character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

bool
json_line_unescape(
	const unsigned char *in, size_t n, unsigned char *out, size_t *length, size_t *bad)
{
	static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
	size_t put = 0;
	for (size_t i = 0; i < n;) {
		uint32_t character;
		if (in[i] != '\\') {
			out[put++] = in[i++];
		} else if (in[i + 1] != 'u') {
			const char *letter = strchr(letters, in[i + 1]);
			out[put++] = letter != NULL ? (unsigned char)controls[letter - letters]
						    : in[i + 1];
			i += 2;
		} else {
			i += json_line_unicode(in + i, n - i, &character);
			*bad = i;
			if (character >= 0xd800 && character <= 0xdfff)
				return false;
			put += json_line_put(character, out + put);
		}
	}
	*length = put;
	return true;
}

static bool
json_line_is(const unsigned char *name, size_t n, const char *wanted)
{
	unsigned char decoded[JSON_LINE_ESCAPED];
	size_t length, bad;
	return n <= sizeof decoded && json_line_unescape(name, n, decoded, &length, &bad) &&
		length == strlen(wanted) && memcmp(decoded, wanted, length) == 0;
}

static enum frame_result
json_line_name(struct json_line_parser *parser)
{
	size_t from = parser->at + 1;
	enum frame_result result = json_line_string(parser);
	if (result != FRAME_DONE)
		return result;
	const unsigned char *name = parser->bytes + from;
	size_t size = parser->at - 1 - from;
	parser->wanted = JSON_LINE_COLON;
	parser->member = NULL;
	for (size_t i = 0; i < parser->count && parser->depth == 1; i++)
		if (json_line_is(name, size, parser->members[i].name))
			parser->member = &parser->members[i];
	if (parser->member == NULL)
		return FRAME_DONE;
	if (parser->member->there)
		return part_bad(parser->part, parser->at - 1, "the same member twice");
	parser->member->there = true;
	return FRAME_DONE;
}

static enum frame_result
json_line_open(struct json_line_parser *parser, bool object)
{
	size_t byte = parser->depth / 8;
	unsigned char bit = (unsigned char)(1u << parser->depth % 8);
	if (parser->depth == JSON_LINE_DEPTH)
		return part_bad(parser->part, parser->at, "JSON that is nested too deeply");
	parser->objects[byte] = (unsigned char)(object ? parser->objects[byte] | bit
						       : parser->objects[byte] & ~bit);
	parser->depth++;
	parser->at++;
	parser->wanted = object ? JSON_LINE_MEMBER : JSON_LINE_ELEMENT;
	parser->member = NULL;
	return FRAME_DONE;
}

static enum frame_result
json_line_value(struct json_line_parser *parser)
{
	size_t from = parser->at + 1;
	enum frame_result result;
	parser->wanted = JSON_LINE_BEHIND;
	switch (parser->bytes[parser->at]) {
	case '{':
	case '[':
		return json_line_open(parser, parser->bytes[parser->at] == '{');
	case 't':
		return json_line_word(parser, "true");
	case 'f':
		return json_line_word(parser, "false");
	case 'n':
		return json_line_word(parser, "null");
	case '"':
		result = json_line_string(parser);
		if (result == FRAME_DONE && parser->member != NULL) {
			parser->member->string = true;
			parser->member->from = from;
			parser->member->to = parser->at - 1;
		}
		return result;
	default:
		result = json_line_number(parser);
		if (result == FRAME_DONE && parser->member != NULL) {
			parser->member->number = true;
			parser->member->from = from - 1;
			parser->member->to = parser->at;
		}
		return result;
	}
}

/* What follows a value, or an end in place of the first one. */
static enum frame_result
json_line_behind(struct json_line_parser *parser, bool comma)
{
	size_t level = parser->depth - 1;
	bool object = (parser->objects[level / 8] >> level % 8 & 1) != 0;
	parser->member = NULL;
	if (json_line_take(parser, object ? "}" : "]")) {
		parser->depth--;
		parser->wanted = JSON_LINE_BEHIND;
		return FRAME_DONE;
	}
	if (!comma || !json_line_take(parser, ","))
		return json_line_stop(parser);
	parser->wanted = object ? JSON_LINE_NAME : JSON_LINE_VALUE;
	return FRAME_DONE;
}

/* One token. */
static enum frame_result
json_line_step(struct json_line_parser *parser)
{
	unsigned char byte = parser->bytes[parser->at];
	switch (parser->wanted) {
	case JSON_LINE_ELEMENT:
		if (byte == ']')
			return json_line_behind(parser, false);
		return json_line_value(parser);
	case JSON_LINE_VALUE:
		return json_line_value(parser);
	case JSON_LINE_MEMBER:
		if (byte == '}')
			return json_line_behind(parser, false);
		return byte == '"' ? json_line_name(parser) : json_line_stop(parser);
	case JSON_LINE_NAME:
		return byte == '"' ? json_line_name(parser) : json_line_stop(parser);
	case JSON_LINE_COLON:
		parser->wanted = JSON_LINE_VALUE;
		return json_line_take(parser, ":") ? FRAME_DONE : json_line_stop(parser);
	case JSON_LINE_BEHIND:
		break;
	}
	return json_line_behind(parser, true);
}

enum frame_result
json_line_parse(struct json_member *members, size_t count, const unsigned char *bytes, size_t n,
	struct frame_part *part)
{
	struct json_line_parser parser;
	memset(&parser, 0, sizeof parser);
	for (size_t i = 0; i < count; i++)
		members[i] = (struct json_member){ .name = members[i].name };
	parser.members = members;
	parser.count = count;
	parser.bytes = bytes;
	parser.n = n;
	parser.part = part;
	for (bool begun = false;; begun = true) {
		while (json_line_take(&parser, " \t\r\n"))
			continue;
		if (parser.at == n)
			return begun && parser.depth == 0 ? FRAME_DONE : FRAME_MORE;
		if (!begun && bytes[parser.at] != '{')
			return part_bad(part, parser.at, "not a JSON object");
		if (begun && parser.depth == 0)
			return json_line_stop(&parser);
		enum frame_result result = json_line_step(&parser);
		if (result != FRAME_DONE)
			return result;
	}
}
