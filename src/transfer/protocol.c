/* Decoding the protocol of transfers; see protocol.h. */
#include "transfer/protocol.h"

#include <string.h>

#include "base/parse.h"
#include "frame/base64.h"
#include "frame/hex.h"
#include "frame/json_line.h"
#include "transfer/protocol_table.h"

/* The digits of the largest length. */
#define PROTOCOL_DIGITS 4

static bool
protocol_take_digest(const char *text, struct protocol_message *message)
{
	if (strlen(text) != (size_t)2 * PROTOCOL_DIGEST ||
		!hex_read(text, PROTOCOL_DIGEST, message->digest))
		return false;
	message->has_digest = true;
	return true;
}

/* Decodes the value of a member in place, and terminates it. The byte behind it, a quote or the end
 * of a number, is not used any more. */
static const char *
protocol_unescape(unsigned char *bytes, const struct json_member *member, size_t *length)
{
	unsigned char *value = bytes + member->from;
	size_t bad;
	*length = member->to - member->from;
	if (member->string && !json_line_unescape(value, *length, value, length, &bad))
		return NULL;
	value[*length] = '\0';
	return (const char *)value;
}

/* False: the member has another type than it must have, or a value out of range. */
static bool
protocol_take_member(struct protocol_message *message, enum protocol_member which,
	const struct json_member *member, unsigned char *bytes)
{
	struct frame_part part = { .message = NULL };
	uint64_t *number = protocol_table_number(message, which);
	size_t length;
	if (number != NULL ? !member->number : !member->string)
		return false;
	const char *text = protocol_unescape(bytes, member, &length);
	if (text == NULL)
		return false;
	if (number != NULL)
		return parse_count(text, INT64_MAX, number) == PARSE_OK;
	if (which == PROTOCOL_MEMBER_DIGEST)
		return protocol_take_digest(text, message);
	if (which == PROTOCOL_MEMBER_ERROR) {
		message->error = text;
		return true;
	}
	if (which == PROTOCOL_MEMBER_NAME64) {
		unsigned char *name = bytes + member->from;
		if (base64_read(name, length, name, &part) == FRAME_BAD)
			return false;
		length = part.length;
		name[length] = '\0';
	}
	message->name = text;
	message->name_length = length;
	return true;
}

/* The kind of the message; PROTOCOL_GREETING: unknown. */
static enum protocol_kind
protocol_kind(const unsigned char *bytes, const struct json_member *type)
{
	size_t n = type->to - type->from;
	size_t kind = PROTOCOL_KINDS;
	while (type->string && --kind > PROTOCOL_GREETING)
		if (strlen(protocol_table[kind].type) == n &&
			memcmp(protocol_table[kind].type, bytes + type->from, n) == 0)
			return (enum protocol_kind)kind;
	return PROTOCOL_GREETING;
}

static enum protocol_result
protocol_bad(const char **why, const char *text)
{
	*why = text;
	return PROTOCOL_BAD;
}

static enum protocol_result
protocol_take_object(struct protocol *protocol, struct protocol_message *message, const char **why)
{
	struct json_member members[PROTOCOL_MEMBERS];
	struct frame_part part = { .message = NULL };
	unsigned there = 0;
	for (size_t i = 0; i < PROTOCOL_MEMBERS; i++)
		members[i].name = protocol_table_names[i];
	if (json_line_parse(members, PROTOCOL_MEMBERS, protocol->bytes, protocol->length, &part) !=
		FRAME_DONE)
		return protocol_bad(why, "protocol error: invalid JSON");
	*message = (struct protocol_message){ .kind = protocol_kind(protocol->bytes,
						      &members[PROTOCOL_MEMBER_TYPE]) };
	if (message->kind == PROTOCOL_GREETING)
		return protocol_bad(why, "protocol error: unknown message type");
	for (size_t i = PROTOCOL_MEMBER_NAME; i < PROTOCOL_MEMBERS; i++) {
		if (!members[i].there)
			continue;
		there |= 1u << i;
		if (!protocol_take_member(
			    message, (enum protocol_member)i, &members[i], protocol->bytes))
			return protocol_bad(why, "protocol error: invalid value");
	}
	const struct protocol_table_row *row = &protocol_table[message->kind];
	if ((there & row->needs) != row->needs || (row->named && message->name == NULL))
		return protocol_bad(why, "protocol error: incomplete message");
	const unsigned dated = PROTOCOL_BIT(MTIME) | PROTOCOL_BIT(NSEC);
	message->dated = (there & dated) == dated && message->nsec < 1000000000;
	return PROTOCOL_DONE;
}

/* The n bytes at `text` begin with the word, which a space or the end follows. */
static bool
protocol_skip_word(const char **text, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(*text, word, n) != 0 || ((*text)[n] != ' ' && (*text)[n] != '\0'))
		return false;
	*text += n + ((*text)[n] == ' ');
	return true;
}

static enum protocol_result
protocol_take_greeting(
	struct protocol *protocol, struct protocol_message *message, const char **why)
{
	const char *text = (const char *)protocol->bytes + strlen(PROTOCOL_MAGIC);
	protocol->bytes[protocol->have - 1] = '\0';
	*message = (struct protocol_message){ .kind = PROTOCOL_GREETING };
	message->sends = protocol_skip_word(&text, PROTOCOL_SENDER);
	if (!message->sends && !protocol_skip_word(&text, PROTOCOL_RECEIVER))
		return protocol_bad(why, "protocol error: unknown role");
	/* Words that a later version adds are skipped. */
	for (; *text != '\0'; text += strcspn(text, " "), text += *text == ' ')
		if (protocol_skip_word(&text, PROTOCOL_SHA256)) {
			message->sha256 = true;
			if (*text == '\0')
				break;
		}
	return PROTOCOL_DONE;
}

/* One byte of the greeting. */
static enum protocol_result
protocol_step_greeting(struct protocol *protocol, unsigned char byte,
	struct protocol_message *message, const char **why)
{
	size_t at = protocol->have;
	if (at < strlen(PROTOCOL_MAGIC) && byte != (unsigned char)PROTOCOL_MAGIC[at])
		return protocol_bad(why, NULL);
	if (byte != '\n' && (byte < ' ' || byte > '~' || at == PROTOCOL_GREETING_MAX))
		return protocol_bad(why, "protocol error: invalid greeting");
	protocol->bytes[protocol->have++] = byte;
	if (byte != '\n')
		return PROTOCOL_MORE;
	enum protocol_result result = protocol_take_greeting(protocol, message, why);
	protocol->greeted = true;
	protocol->have = 0;
	return result;
}

/* One byte of the length and the colon. */
static enum protocol_result
protocol_step_length(struct protocol *protocol, unsigned char byte, const char **why)
{
	if (byte == ':' && protocol->length > 0) {
		protocol->in_object = true;
		protocol->have = 0;
		return PROTOCOL_MORE;
	}
	if (byte < '0' || byte > '9' || (byte == '0' && protocol->length == 0) ||
		protocol->have == PROTOCOL_DIGITS)
		return protocol_bad(why, "protocol error: malformed message");
	protocol->have++;
	protocol->length = protocol->length * 10 + (size_t)(byte - '0');
	return protocol->length > PROTOCOL_OBJECT_MAX
		? protocol_bad(why, "protocol error: message too long")
		: PROTOCOL_MORE;
}

static enum protocol_result
protocol_step(struct protocol *protocol, unsigned char byte, struct protocol_message *message,
	const char **why)
{
	if (!protocol->greeted)
		return protocol_step_greeting(protocol, byte, message, why);
	if (!protocol->in_object)
		return protocol_step_length(protocol, byte, why);
	if (protocol->have < protocol->length) {
		protocol->bytes[protocol->have++] = byte;
		return PROTOCOL_MORE;
	}
	if (byte != ',')
		return protocol_bad(why, "protocol error: malformed message");
	enum protocol_result result = protocol_take_object(protocol, message, why);
	protocol->in_object = false;
	protocol->have = protocol->length = 0;
	return result;
}

enum protocol_result
protocol_take(struct protocol *protocol, const unsigned char *bytes, size_t n, size_t *used,
	struct protocol_message *message, const char **why)
{
	enum protocol_result result = PROTOCOL_MORE;
	for (*used = 0; *used < n && result == PROTOCOL_MORE; ++*used)
		result = protocol_step(protocol, bytes[*used], message, why);
	return result;
}
