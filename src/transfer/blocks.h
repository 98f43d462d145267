/*
 * The digest of a file that is sent: SHA-256 of the SHA-256 of its blocks of 4 MiB, the last of
 * which may be shorter. A part of the file can be verified and resumed without reading it again, as
 * long as the digests of its blocks are known.
 */
#ifndef SOCKCAT_TRANSFER_BLOCKS_H
#define SOCKCAT_TRANSFER_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define BLOCKS_SIZE ((uint64_t)4 * 1024 * 1024)
#define BLOCKS_DIGEST 32

struct digest;

struct blocks {
	struct digest *current;  /* owned: of a block that is not complete; NULL: none has begun */
	uint64_t filled;         /* its bytes */
	struct digest *previous; /* owned: of the block before it, not in the list; NULL: none */
	unsigned char *list;     /* owned: the digests of complete blocks */
	size_t count, room;      /* of them */
};

/* Whether digests can be computed; otherwise a fault: status 4 or 27. */
bool blocks_are_possible(struct fault *fault);

/* Adds bytes of the file. False and a fault. */
bool blocks_add(struct blocks *blocks, const void *bytes, size_t n, struct fault *fault);

/* Adds the digest of a complete block; no other may have begun. */
bool blocks_add_digest(struct blocks *blocks, const unsigned char *digest, struct fault *fault);

/* The digest of all that was added. More can be added afterwards only if the last block is
 * complete. */
bool blocks_finish(
	struct blocks *blocks, unsigned char out[static BLOCKS_DIGEST], struct fault *fault);

/* Frees all; a zeroed struct is allowed, and results. */
void blocks_close(struct blocks *blocks);

#endif
