/* Files that are received; see incoming.h. */
#include "transfer/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/sys.h"

/* How much is read of a part at a time. */
#define INCOMING_STEP ((size_t)1024 * 1024)

/* The shortest run of zeros that becomes a hole. */
#define INCOMING_HOLE ((size_t)16 * 1024)

/* What can be continued of the part: whole blocks that the file has, too. */
static uint64_t
incoming_whole(const struct incoming *incoming)
{
	uint64_t size = incoming->partial.size;
	if (size > incoming->size)
		size = incoming->size;
	return size / BLOCKS_SIZE * BLOCKS_SIZE;
}

/* Opens the part. `resume`: keeps what is there. */
static bool
incoming_open_part(struct incoming *incoming, bool resume, struct fault *fault)
{
	const struct incoming_config *config = incoming->config;
	struct partial_found found;
	bool good =
		partial_check(config->directory, incoming->name, config->replace, &found, fault);
	if (resume && found.busy && (incoming->until == 0 || clock_now() < incoming->until)) {
		fault_clear(fault);
		if (incoming->until == 0)
			incoming->until = clock_after(clock_now(), INCOMING_PATIENCE);
		return true;
	}
	incoming->until = 0;
	incoming->partial.busy = found.busy;
	if (!good ||
		!partial_open(&incoming->partial, config->directory, incoming->name, resume, fault))
		return false;
	if (!incoming->digest)
		return true;
	sidecar_open(&incoming->sidecar, incoming->partial.directory, incoming->partial.part_path);
	if (!resume)
		return true;
	incoming->wanted = incoming_whole(incoming);
	sidecar_load(
		&incoming->sidecar, (size_t)(incoming->wanted / BLOCKS_SIZE), &incoming->blocks);
	incoming->offset = incoming->blocks.count * BLOCKS_SIZE;
	return true;
}

/* Opens the file that has the name already, if it may be the same. */
static bool
incoming_find(struct incoming *incoming)
{
	struct stat status;
	int directory = sys_open_directory(incoming->config->directory);
	if (directory != -1)
		incoming->existing = openat(directory, incoming->name,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	(void)sys_close(&directory);
	incoming->wanted = incoming->size;
	bool same = incoming->existing != -1 && fstat(incoming->existing, &status) == 0 &&
		S_ISREG(status.st_mode) && (uint64_t)status.st_size == incoming->size;
	if (same)
		incoming->until = 0;
	else
		(void)sys_close(&incoming->existing);
	return same;
}

/* Opens what is there. */
static bool
incoming_look(struct incoming *incoming, struct fault *fault)
{
	const struct incoming_config *config = incoming->config;
	bool resume = config->resume && incoming->digest;
	struct partial_found found = { .size = 0 };
	struct fault unused = FAULT_NONE;
	if (resume && config->replace)
		(void)partial_check(config->directory, incoming->name, true, &found, &unused);
	fault_clear(&unused);
	/* A part is of a newer file than the one that it is to replace. */
	if ((resume && found.size == 0 && !found.busy && incoming_find(incoming)) ||
		incoming_open_part(incoming, resume, fault))
		return true;
	/* The session that was interrupted may have stored the file since. */
	if (!resume || config->replace || !incoming_find(incoming))
		return false;
	incoming->partial.busy = false;
	fault_clear(fault);
	return true;
}

bool
incoming_open(struct incoming *incoming, const struct incoming_config *config,
	const struct protocol_message *message, bool digest, struct fault *fault)
{
	mode_t mode = (mode_t)message->mode & 0777 & ~config->mask;
	*incoming = INCOMING_NONE;
	incoming->config = config;
	incoming->digest = digest;
	incoming->size = message->size;
	incoming->result = (struct partial_result){
		/* 0 would be the usual permissions. */
		.mode = mode != 0 ? mode : S_IRUSR,
		.has_mtime = message->dated,
		.replace = config->replace,
		.sync = true,
		.mtime = { .tv_sec = (time_t)message->mtime, .tv_nsec = (long)message->nsec },
	};
	incoming->name = strdup(message->name);
	if (incoming->name == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "write %s", message->name);
	if (config->max_size != 0 && message->size > config->max_size)
		return fault_set(fault, STATUS_SIZE, 0,
			"receive %s: larger than --max-size with its %" PRIu64 " bytes",
			message->name, message->size);
	return incoming_look(incoming, fault);
}

enum io
incoming_check(struct incoming *incoming, struct fault *fault)
{
	if (incoming->until != 0 && !incoming_look(incoming, fault))
		return IO_FAIL;
	if (incoming->until != 0)
		return IO_AGAIN;
	uint64_t left = incoming->wanted - incoming->offset;
	if (left == 0)
		return IO_OK;
	unsigned char *bytes = malloc(INCOMING_STEP);
	if (bytes == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "read %s", incoming->name);
	struct iovec piece = { bytes, left < INCOMING_STEP ? (size_t)left : INCOMING_STEP };
	int fd = incoming->existing != -1 ? incoming->existing : incoming->partial.fd;
	ssize_t n = sys_read_at(fd, &piece, (off_t)incoming->offset);
	int error = n == 0 ? EIO : errno;
	bool good = n > 0 && blocks_add(&incoming->blocks, bytes, (size_t)n, fault);
	free(bytes);
	if (n <= 0)
		return IO_FAULT(fault, STATUS_OUTPUT, error, "read %s",
			incoming->existing != -1 ? incoming->name : incoming->partial.part_path);
	incoming->offset += (uint64_t)n;
	return good ? IO_AGAIN : IO_FAIL;
}

bool
incoming_start(struct incoming *incoming, uint64_t offset, struct fault *fault)
{
	if (incoming->existing != -1 && offset == incoming->size)
		return true;
	if (incoming->existing != -1) {
		(void)sys_close(&incoming->existing);
		if (!incoming_open_part(incoming, false, fault))
			return false;
	}
	if (offset == 0) {
		blocks_close(&incoming->blocks);
		if (incoming->digest)
			sidecar_remove(&incoming->sidecar);
	}
	incoming->offset = offset;
	incoming->zeros = 0;
	incoming->left = incoming->size - offset;
	if (ftruncate(incoming->partial.fd, (off_t)offset) == 0 &&
		lseek(incoming->partial.fd, (off_t)offset, SEEK_SET) != -1)
		return true;
	return fault_set(fault, STATUS_OUTPUT, errno, "write %s", incoming->name);
}

static bool
incoming_is_zero(const unsigned char *bytes, size_t n)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

static bool
incoming_put(const struct incoming *incoming, const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		struct iovec piece = { (void *)(uintptr_t)bytes, n };
		ssize_t put = sys_writev(incoming->partial.fd, &piece, 1);
		if (put == 0)
			errno = ENOSPC;
		if (put <= 0)
			return false;
		bytes += put;
		n -= (size_t)put;
	}
	return true;
}

/* Makes the zeros before other bytes a hole, if they are enough, or writes them. */
static bool
incoming_put_zeros(struct incoming *incoming)
{
	static const unsigned char zeros[INCOMING_HOLE];
	uint64_t n = incoming->zeros;
	incoming->zeros = 0;
	return n < INCOMING_HOLE ? incoming_put(incoming, zeros, (size_t)n)
				 : lseek(incoming->partial.fd, (off_t)n, SEEK_CUR) != -1;
}

bool
incoming_write(struct incoming *incoming, const unsigned char *bytes, size_t n, struct fault *fault)
{
	if (incoming_is_zero(bytes, n))
		incoming->zeros += n;
	else if (!incoming_put_zeros(incoming) || !incoming_put(incoming, bytes, n))
		return fault_set(fault, STATUS_OUTPUT, errno, "write %s", incoming->name);
	incoming->left -= n;
	if (!incoming->digest)
		return true;
	if (!blocks_add(&incoming->blocks, bytes, n, fault))
		return false;
	sidecar_save(&incoming->sidecar, &incoming->blocks);
	return true;
}

bool
incoming_verify(
	struct incoming *incoming, const struct protocol_message *message, struct fault *fault)
{
	unsigned char own[BLOCKS_DIGEST];
	if (incoming->left > 0)
		return fault_set(fault, STATUS_CUT, 0, "receive %s: fewer bytes than announced",
			incoming->name);
	/* The zeros at the end become a hole. */
	if (incoming->existing == -1 &&
		ftruncate(incoming->partial.fd, (off_t)incoming->size) == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "write %s", incoming->name);
	if (!incoming->digest)
		return true;
	if (!blocks_finish(&incoming->blocks, own, fault))
		return false;
	if (message->has_digest && memcmp(own, message->digest, sizeof own) == 0)
		return true;
	/* A later run reads the part itself. */
	sidecar_remove(&incoming->sidecar);
	return fault_set(fault, STATUS_CUT, 0,
		"receive %s: the digest of what arrived differs from the sender's", incoming->name);
}

/* The file that was compared is the result. An earlier run may have been interrupted before it was
 * written to the disk. */
static bool
incoming_adopt(struct incoming *incoming, struct fault *fault)
{
	int fd = incoming->existing, directory = sys_open_directory(incoming->config->directory);
	if (directory == -1)
		return fault_set(fault, STATUS_OUTPUT, errno, "write %s", incoming->name);
	incoming->existing = -1;
	incoming->result.stored = true;
	return partial_open_stored(&incoming->partial, directory, incoming->name, fd, fault);
}

enum io
incoming_commit(struct incoming *incoming, struct fault *fault)
{
	if (incoming->existing != -1 && !incoming_adopt(incoming, fault))
		return IO_FAIL;
	enum io result = partial_commit(&incoming->partial, &incoming->result, fault);
	/* After a failure they may be those of data that has not reached the disk. */
	if (result != IO_AGAIN && incoming->digest)
		sidecar_remove(&incoming->sidecar);
	return result;
}

/* After an interruption the part has the zeros, too, with which a later run continues. If that
 * fails they are sent again. */
static void
incoming_keep_zeros(const struct incoming *incoming)
{
	if (incoming->zeros > 0 && incoming->partial.fd != -1 &&
		ftruncate(incoming->partial.fd, (off_t)(incoming->size - incoming->left)) == -1)
		return; /* a cast to void does not silence warn_unused_result */
}

void
incoming_close(struct incoming *incoming)
{
	incoming_keep_zeros(incoming);
	(void)sys_close(&incoming->existing);
	partial_close(&incoming->partial);
	blocks_close(&incoming->blocks);
	sidecar_close(&incoming->sidecar);
	free(incoming->name);
	*incoming = INCOMING_NONE;
}
