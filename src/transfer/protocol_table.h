/* The words of the transfer protocol, which protocol.c decodes and protocol_put.c encodes. */
#ifndef SOCKCAT_TRANSFER_PROTOCOL_TABLE_H
#define SOCKCAT_TRANSFER_PROTOCOL_TABLE_H

#include "transfer/protocol.h"

#define PROTOCOL_MAGIC "sockcat-transfer 1 "
#define PROTOCOL_SENDER "sender"
#define PROTOCOL_RECEIVER "receiver"
#define PROTOCOL_SHA256 "sha256"

enum protocol_member {
	PROTOCOL_MEMBER_TYPE,
	PROTOCOL_MEMBER_NAME,
	PROTOCOL_MEMBER_NAME64,
	PROTOCOL_MEMBER_ERROR,
	PROTOCOL_MEMBER_DIGEST,
	PROTOCOL_MEMBER_SIZE,
	PROTOCOL_MEMBER_MODE,
	PROTOCOL_MEMBER_MTIME,
	PROTOCOL_MEMBER_NSEC,
	PROTOCOL_MEMBER_OFFSET,
	PROTOCOL_MEMBER_COUNT,
	PROTOCOL_MEMBER_STATUS,
	PROTOCOL_MEMBER_BUSY,
	PROTOCOL_MEMBERS
};

#define PROTOCOL_BIT(member) (1u << PROTOCOL_MEMBER_##member)

extern const char *const protocol_table_names[PROTOCOL_MEMBERS];

/* The numbers and texts that a message requires; and whether it has a name, in one of its two
 * forms. */
struct protocol_table_row {
	const char *type;
	unsigned needs;
	bool named;
};

/* The messages in the order of their kinds. */
#define PROTOCOL_KINDS 10
extern const struct protocol_table_row protocol_table[PROTOCOL_KINDS];

/* Where the number of a member belongs; NULL: it is none. */
uint64_t *protocol_table_number(struct protocol_message *message, enum protocol_member member);

#endif
