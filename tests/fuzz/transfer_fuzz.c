/*
 * Fuzzes the decoder of the transfer protocol. The first byte is where the rest is split: split and
 * byte by byte it gives the same result at the same byte. A message that was decoded is the same
 * after it was encoded and decoded again, and a name that is not refused is one component of a
 * path.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/file_name.h"
#include "transfer/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
transfer_fuzz_name(const struct protocol_message *message)
{
	if (file_name_refuse(message->name, message->name_length) != NULL)
		return;
	if (strlen(message->name) != message->name_length || message->name_length > 255 ||
		strchr(message->name, '/') != NULL || strcmp(message->name, "..") == 0)
		abort();
}

static void
transfer_fuzz_again(const struct protocol_message *message)
{
	unsigned char out[PROTOCOL_MESSAGE_MAX];
	struct protocol protocol = { .greeted = message->kind != PROTOCOL_GREETING };
	struct protocol_message again;
	const char *why;
	size_t used, size = protocol_put_message(message, out);
	/* A message may have members that its kind does not use: they are not sent again. */
	bool named = message->kind == PROTOCOL_FILE || message->kind == PROTOCOL_TREE;
	bool sized = message->kind == PROTOCOL_FILE || message->kind == PROTOCOL_DATA;
	bool placed = message->kind == PROTOCOL_READY || message->kind == PROTOCOL_START;
	if (size == 0 && named && message->name_length > 255)
		return;
	if (size == 0 || size > sizeof out ||
		protocol_take(&protocol, out, size, &used, &again, &why) != PROTOCOL_DONE ||
		used != size || again.kind != message->kind ||
		(sized && again.size != message->size) ||
		(placed && again.offset != message->offset) ||
		(named && again.name_length != message->name_length) ||
		(named && memcmp(again.name, message->name, message->name_length) != 0))
		abort();
}

/* Decodes up to the first error, `first` bytes at first and then `step`; where it ended. */
static size_t
transfer_fuzz_run(const uint8_t *bytes, size_t n, size_t first, size_t step, unsigned *messages)
{
	struct protocol protocol = { .greeted = false };
	struct protocol_message message;
	const char *why = NULL;
	size_t at = 0, used, part = first;
	*messages = 0;
	while (at < n) {
		part = part < n - at ? part : n - at;
		enum protocol_result result =
			protocol_take(&protocol, bytes + at, part, &used, &message, &why);
		at += used;
		part -= used;
		if (result == PROTOCOL_BAD)
			return at;
		if (result == PROTOCOL_DONE) {
			++*messages;
			if (message.name != NULL)
				transfer_fuzz_name(&message);
			transfer_fuzz_again(&message);
		}
		if (part == 0)
			part = step;
	}
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	unsigned whole, single;
	if (n < 1 || n > 20000)
		return 0;
	size_t split = bytes[0];
	if (transfer_fuzz_run(bytes + 1, n - 1, split + 1, n, &whole) !=
			transfer_fuzz_run(bytes + 1, n - 1, 1, 1, &single) ||
		whole != single)
		abort();
	return 0;
}
