/* The words of the transfer protocol; see protocol_table.h. */
#include "transfer/protocol_table.h"

const char *const protocol_table_names[PROTOCOL_MEMBERS] = {
	"type",
	"name",
	"name64",
	"error",
	"digest",
	"size",
	"mode",
	"mtime",
	"nsec",
	"offset",
	"count",
	"status",
	"busy",
};

const struct protocol_table_row protocol_table[PROTOCOL_KINDS] = {
	[PROTOCOL_FILE] = { "file", PROTOCOL_BIT(SIZE) | PROTOCOL_BIT(MODE), true },
	[PROTOCOL_TREE] = { "tar", 0, true },
	[PROTOCOL_READY] = { "ready", PROTOCOL_BIT(OFFSET), false },
	[PROTOCOL_START] = { "start", PROTOCOL_BIT(OFFSET), false },
	[PROTOCOL_DATA] = { "data", PROTOCOL_BIT(SIZE), false },
	[PROTOCOL_FINISHED] = { "done", 0, false },
	[PROTOCOL_STORED] = { "stored", 0, false },
	[PROTOCOL_END] = { "end", PROTOCOL_BIT(COUNT), false },
	[PROTOCOL_ERROR] = { "error", PROTOCOL_BIT(STATUS) | PROTOCOL_BIT(ERROR), false },
};

uint64_t *
protocol_table_number(struct protocol_message *message, enum protocol_member member)
{
	uint64_t *const fields[PROTOCOL_MEMBERS] = {
		[PROTOCOL_MEMBER_SIZE] = &message->size,
		[PROTOCOL_MEMBER_MODE] = &message->mode,
		[PROTOCOL_MEMBER_MTIME] = &message->mtime,
		[PROTOCOL_MEMBER_NSEC] = &message->nsec,
		[PROTOCOL_MEMBER_OFFSET] = &message->offset,
		[PROTOCOL_MEMBER_COUNT] = &message->count,
		[PROTOCOL_MEMBER_STATUS] = &message->status,
		[PROTOCOL_MEMBER_BUSY] = &message->busy,
	};
	return fields[member];
}
