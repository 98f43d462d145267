/* A directory that is received: the program that extracts its archive, and what it becomes. */
#ifndef SOCKCAT_TRANSFER_INCOMING_TREE_H
#define SOCKCAT_TRANSFER_INCOMING_TREE_H

#include "base/fault.h"
#include "base/io.h"
#include "stream/partial.h"
#include "transfer/archiver.h"
#include "transfer/blocks.h"
#include "transfer/incoming.h"
#include "transfer/protocol.h"

struct incoming_tree {
	const struct incoming_config *config; /* not owned */
	char *name;                           /* owned; NULL: there is none */
	int64_t until; /* up to this time the session that was interrupted may write the part */
	bool digest;
	bool complete;          /* all of the archive has been written, and verified */
	uint64_t size;          /* bytes of the archive so far */
	struct partial partial; /* not open: into a directory that exists */
	struct archiver archiver;
	struct blocks blocks;
};

#define INCOMING_TREE_NONE \
	((struct incoming_tree){ .partial = PARTIAL_NONE, .archiver = ARCHIVER_NONE })

/* Takes an announced directory. `digest`: both sides compute digests. Status 27; close it in any
 * case. The configuration is used until then. */
bool incoming_tree_open(struct incoming_tree *tree, const struct incoming_config *config,
	const struct protocol_message *message, bool digest, struct fault *fault);

/* Opens its part and starts the program. *ready: see archiver.h. IO_AGAIN: call again after a
 * while; IO_FAIL: status 4, 23 or 27. */
enum io incoming_tree_start(struct incoming_tree *tree, bool *ready, struct fault *fault);

/* Writes the next bytes of the archive, *taken of them. IO_AGAIN: none, the program has to read
 * first; IO_END: it does not read any more, and ends with the cause; IO_FAIL. */
enum io incoming_tree_write(struct incoming_tree *tree, const unsigned char *bytes, size_t n,
	size_t *taken, struct fault *fault);

/* Checks the digest, and lets the program see the end of the archive. Status 18. */
bool incoming_tree_verify(
	struct incoming_tree *tree, const struct protocol_message *message, struct fault *fault);

/* Whether the program has ended well, which includes that everything is on the disk: IO_AGAIN as
 * archiver_end. */
enum io incoming_tree_end(struct incoming_tree *tree, struct fault *fault);

/* As partial_commit. */
enum io incoming_tree_commit(struct incoming_tree *tree, struct fault *fault);

/* Frees all; INCOMING_TREE_NONE is allowed, and results. */
void incoming_tree_close(struct incoming_tree *tree);

#endif
