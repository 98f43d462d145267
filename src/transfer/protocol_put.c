/* Encoding the protocol of transfers; see protocol.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/text.h"
#include "frame/base64.h"
#include "plugin/digest.h"
#include "transfer/protocol.h"
#include "transfer/protocol_table.h"

struct protocol_put_output {
	unsigned char bytes[PROTOCOL_OBJECT_MAX];
	size_t length;
};

/* Adds `,"NAME":` after the first member. */
static void
protocol_put_name(struct protocol_put_output *output, enum protocol_member member)
{
	int n = snprintf((char *)output->bytes + output->length,
		sizeof output->bytes - output->length,
		"%s\"%s\":", member == PROTOCOL_MEMBER_TYPE ? "" : ",",
		protocol_table_names[member]);
	output->length += (size_t)n;
}

/* False: it is not UTF-8, or too long. */
static bool
protocol_put_text(
	struct protocol_put_output *output, enum protocol_member member, const char *text, size_t n)
{
	size_t before = output->length;
	protocol_put_name(output, member);
	size_t put = json_text_put_string(output->bytes + output->length,
		sizeof output->bytes - output->length - 128, text, n);
	output->length = put > 0 ? output->length + put : before;
	return put > 0;
}

static void
protocol_put_number(struct protocol_put_output *output, enum protocol_member member, uint64_t value)
{
	protocol_put_name(output, member);
	int n = snprintf((char *)output->bytes + output->length,
		sizeof output->bytes - output->length, "%" PRIu64, value);
	output->length += (size_t)n;
}

/* A name that is not UTF-8 is sent in base64. */
static bool
protocol_put_file_name(struct protocol_put_output *output, const struct protocol_message *message)
{
	unsigned char text[4 * 255];
	if (message->name_length > 255)
		return false;
	if (protocol_put_text(output, PROTOCOL_MEMBER_NAME, message->name, message->name_length))
		return true;
	size_t n = base64_write((const unsigned char *)message->name, message->name_length, text);
	return protocol_put_text(output, PROTOCOL_MEMBER_NAME64, (const char *)text, n);
}

/* The text is escaped, as a path in it may be any bytes, and cut. */
static void
protocol_put_error(struct protocol_put_output *output, const char *error)
{
	size_t n = strnlen(error, PROTOCOL_ERROR_MAX);
	char *escaped = text_escape(error, n);
	const char *text = escaped != NULL ? escaped : "";
	(void)protocol_put_text(output, PROTOCOL_MEMBER_ERROR, text, strlen(text));
	free(escaped);
}

static void
protocol_put_digest(struct protocol_put_output *output, const unsigned char *digest)
{
	char text[2 * DIGEST_SIZE + 1];
	digest_hex(digest, PROTOCOL_DIGEST, text);
	(void)protocol_put_text(output, PROTOCOL_MEMBER_DIGEST, text, strlen(text));
}

static size_t
protocol_put_greeting(const struct protocol_message *message, unsigned char *out)
{
	int n = snprintf((char *)out, PROTOCOL_GREETING_MAX, "%s%s%s\n", PROTOCOL_MAGIC,
		message->sends ? PROTOCOL_SENDER : PROTOCOL_RECEIVER,
		message->sha256 ? " " PROTOCOL_SHA256 : "");
	return (size_t)n;
}

size_t
protocol_put_message(
	const struct protocol_message *message, unsigned char out[static PROTOCOL_MESSAGE_MAX])
{
	struct protocol_put_output output = { .length = 1, .bytes = "{" };
	struct protocol_message copy = *message;
	if (message->kind == PROTOCOL_GREETING)
		return protocol_put_greeting(message, out);
	const struct protocol_table_row *row = &protocol_table[message->kind];
	(void)protocol_put_text(&output, PROTOCOL_MEMBER_TYPE, row->type, strlen(row->type));
	if (row->named && !protocol_put_file_name(&output, message))
		return 0;
	unsigned numbers = row->needs;
	if (message->dated)
		numbers |= PROTOCOL_BIT(MTIME) | PROTOCOL_BIT(NSEC);
	if (message->busy != 0)
		numbers |= PROTOCOL_BIT(BUSY);
	for (size_t i = PROTOCOL_MEMBER_SIZE; i < PROTOCOL_MEMBERS; i++)
		if ((numbers >> i & 1) != 0)
			protocol_put_number(&output, (enum protocol_member)i,
				*protocol_table_number(&copy, (enum protocol_member)i));
	if (message->has_digest)
		protocol_put_digest(&output, message->digest);
	if (message->kind == PROTOCOL_ERROR)
		protocol_put_error(&output, message->error);
	output.bytes[output.length++] = '}';
	int head = snprintf((char *)out, PROTOCOL_MESSAGE_MAX, "%zu:", output.length);
	memcpy(out + head, output.bytes, output.length);
	out[(size_t)head + output.length] = ',';
	return (size_t)head + output.length + 1;
}
