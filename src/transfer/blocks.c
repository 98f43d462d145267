/* Digests of blocks; see blocks.h. */
#include "transfer/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/digest.h"

#define BLOCKS_ALGORITHM "sha256"

/* How much of the next block is added before the digest of a complete one is needed, which may
 * still be computed. */
#define BLOCKS_AHEAD ((uint64_t)512 * 1024)

bool
blocks_are_possible(struct fault *fault)
{
	struct digest *digest = digest_new(BLOCKS_ALGORITHM, fault);
	digest_free(digest);
	return digest != NULL;
}

bool
blocks_add_digest(struct blocks *blocks, const unsigned char *digest, struct fault *fault)
{
	if (blocks->count == blocks->room) {
		size_t room = blocks->room > 0 ? blocks->room * 2 : 64;
		unsigned char *list = room <= SIZE_MAX / BLOCKS_DIGEST
			? realloc(blocks->list, room * BLOCKS_DIGEST)
			: NULL;
		if (list == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, "digests");
		blocks->list = list;
		blocks->room = room;
	}
	memcpy(blocks->list + blocks->count * BLOCKS_DIGEST, digest, BLOCKS_DIGEST);
	blocks->count++;
	return true;
}

/* Adds the digest of the previous block to the list. */
static bool
blocks_settle(struct blocks *blocks, struct fault *fault)
{
	unsigned char result[DIGEST_SIZE];
	size_t length;
	bool good = blocks->previous == NULL ||
		(digest_finish(blocks->previous, result, &length, fault) &&
			blocks_add_digest(blocks, result, fault));
	digest_free(blocks->previous);
	blocks->previous = NULL;
	return good;
}

/* Ends the current block. */
static bool
blocks_complete(struct blocks *blocks, struct fault *fault)
{
	bool good = blocks_settle(blocks, fault);
	blocks->previous = blocks->current;
	blocks->current = NULL;
	blocks->filled = 0;
	return good;
}

bool
blocks_add(struct blocks *blocks, const void *bytes, size_t n, struct fault *fault)
{
	const unsigned char *at = bytes;
	while (n > 0) {
		uint64_t left = BLOCKS_SIZE - blocks->filled;
		size_t part = left < n ? (size_t)left : n;
		if (blocks->current == NULL)
			blocks->current = digest_new(BLOCKS_ALGORITHM, fault);
		if (blocks->current == NULL || !digest_add(blocks->current, at, part, fault))
			return false;
		blocks->filled += part;
		at += part;
		n -= part;
		if ((blocks->filled == BLOCKS_SIZE && !blocks_complete(blocks, fault)) ||
			(blocks->filled >= BLOCKS_AHEAD && !blocks_settle(blocks, fault)))
			return false;
	}
	return true;
}

/* The digest of the digests of the complete blocks. */
static bool
blocks_combine(struct blocks *blocks, unsigned char out[static BLOCKS_DIGEST], struct fault *fault)
{
	unsigned char result[DIGEST_SIZE];
	size_t length;
	struct digest *digest =
		blocks_settle(blocks, fault) ? digest_new(BLOCKS_ALGORITHM, fault) : NULL;
	bool good = digest != NULL &&
		(blocks->count == 0 ||
			digest_add(digest, blocks->list, blocks->count * BLOCKS_DIGEST, fault)) &&
		digest_finish(digest, result, &length, fault);
	digest_free(digest);
	if (good)
		memcpy(out, result, BLOCKS_DIGEST);
	return good;
}

bool
blocks_finish(struct blocks *blocks, unsigned char out[static BLOCKS_DIGEST], struct fault *fault)
{
	return (blocks->current == NULL || blocks_complete(blocks, fault)) &&
		blocks_combine(blocks, out, fault);
}

void
blocks_close(struct blocks *blocks)
{
	digest_free(blocks->current);
	digest_free(blocks->previous);
	free(blocks->list);
	*blocks = (struct blocks){ .current = NULL };
}
