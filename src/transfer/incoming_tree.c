/* Directories that are received; see incoming_tree.h. */
#include "transfer/incoming_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sys/sys.h"

bool
incoming_tree_open(struct incoming_tree *tree, const struct incoming_config *config,
	const struct protocol_message *message, bool digest, struct fault *fault)
{
	*tree = INCOMING_TREE_NONE;
	tree->config = config;
	tree->digest = digest;
	if (config->resume)
		tree->until = clock_after(clock_now(), INCOMING_PATIENCE);
	tree->name = strdup(message->name);
	return tree->name != NULL ||
		fault_set(fault, STATUS_MEMORY, ENOMEM, "write %s", message->name);
}

/* Opens the directory of this name, if it exists and may be added to. -1: it does not exist, or
 * failed. */
static int
incoming_tree_find(const struct incoming_tree *tree, struct fault *fault)
{
	const struct incoming_config *config = tree->config;
	if (!config->replace)
		return -1;
	int directory = sys_open_directory(config->directory);
	int fd = directory == -1
		? -1
		: openat(directory, tree->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT)
		(void)fault_set(
			fault, STATUS_OUTPUT, errno, "open %s/%s", config->directory, tree->name);
	(void)sys_close(&directory);
	return fd;
}

enum io
incoming_tree_start(struct incoming_tree *tree, bool *ready, struct fault *fault)
{
	const struct incoming_config *config = tree->config;
	int existing = incoming_tree_find(tree, fault);
	bool fresh = existing == -1;
	if (fault_is_set(fault))
		return IO_FAIL;
	if (fresh && !partial_open_tree(&tree->partial, config->directory, tree->name, fault)) {
		if (!tree->partial.busy || clock_now() >= tree->until)
			return IO_FAIL;
		fault_clear(fault);
		return IO_AGAIN;
	}
	bool good = archiver_extract(&tree->archiver, config->tree_options,
		fresh ? tree->partial.fd : existing, fresh, ready, fault);
	(void)sys_close(&existing);
	return good ? IO_OK : IO_FAIL;
}

enum io
incoming_tree_write(struct incoming_tree *tree, const unsigned char *bytes, size_t n, size_t *taken,
	struct fault *fault)
{
	const struct iovec piece = { (void *)(uintptr_t)bytes, n };
	ssize_t put = sys_writev(tree->archiver.archive, &piece, 1);
	*taken = 0;
	if (put <= 0 && sys_would_block(errno))
		return IO_AGAIN;
	if (put <= 0 && errno == EPIPE)
		return IO_END;
	if (put <= 0)
		return IO_FAULT(fault, STATUS_OUTPUT, errno, "write to %s", ARCHIVER_PROGRAM);
	*taken = (size_t)put;
	tree->size += *taken;
	return !tree->digest || blocks_add(&tree->blocks, bytes, *taken, fault) ? IO_OK : IO_FAIL;
}

bool
incoming_tree_verify(
	struct incoming_tree *tree, const struct protocol_message *message, struct fault *fault)
{
	unsigned char own[BLOCKS_DIGEST];
	if (tree->digest && !blocks_finish(&tree->blocks, own, fault))
		return false;
	if (tree->digest && (!message->has_digest || memcmp(own, message->digest, sizeof own) != 0))
		return fault_set(fault, STATUS_CUT, 0,
			"receive %s: the digest of what arrived differs from the sender's",
			tree->name);
	tree->complete = true;
	(void)sys_close(&tree->archiver.archive);
	return true;
}

enum io
incoming_tree_end(struct incoming_tree *tree, struct fault *fault)
{
	enum io result = archiver_end(&tree->archiver, fault);
	/* It ends with 0 only after the end of its input. */
	if (result == IO_OK && (fault_is_set(fault) || !tree->complete))
		return IO_FAULT(fault, STATUS_INTERNAL, 0, "%s ended early", ARCHIVER_PROGRAM);
	return result;
}

enum io
incoming_tree_commit(struct incoming_tree *tree, struct fault *fault)
{
	static const struct partial_result result = { .tree = true, .sync = true };
	return tree->partial.path != NULL ? partial_commit(&tree->partial, &result, fault) : IO_OK;
}

void
incoming_tree_close(struct incoming_tree *tree)
{
	archiver_close(&tree->archiver);
	partial_close(&tree->partial);
	blocks_close(&tree->blocks);
	free(tree->name);
	*tree = INCOMING_TREE_NONE;
}
