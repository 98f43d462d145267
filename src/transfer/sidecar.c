/* Digests beside a part; see sidecar.h. */
#include "transfer/sidecar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/partial.h"
#include "sys/sys.h"

/* The first line: the version, and which start of the system this is. */
#define SIDECAR_BOOT "/proc/sys/kernel/random/boot_id"
#define SIDECAR_BOOT_SIZE 36
#define SIDECAR_MAGIC "sockcat-blocks 1 "
#define SIDECAR_HEAD (sizeof SIDECAR_MAGIC + SIDECAR_BOOT_SIZE)

#define SIDECAR_FLAGS (O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Fills in the first line with its line end. False: this start of the system has no name. */
static bool
sidecar_head(char head[static SIDECAR_HEAD])
{
	struct iovec boot = { head + sizeof SIDECAR_MAGIC - 1, SIDECAR_BOOT_SIZE };
	int fd = sys_open(SIDECAR_BOOT, O_RDONLY);
	bool good = fd != -1 && sys_readv(fd, &boot, 1) == SIDECAR_BOOT_SIZE;
	(void)sys_close(&fd);
	memcpy(head, SIDECAR_MAGIC, sizeof SIDECAR_MAGIC - 1);
	head[SIDECAR_HEAD - 1] = '\n';
	return good;
}

void
sidecar_open(struct sidecar *sidecar, int directory, const char *part)
{
	const char *slash = strrchr(part, '/');
	const char *name = slash != NULL ? slash + 1 : part;
	size_t size = strlen(name) + sizeof PARTIAL_DIGESTS;
	*sidecar = SIDECAR_NONE;
	sidecar->directory = sys_duplicate(directory);
	if (sidecar->directory == -1)
		return;
	sidecar->name = malloc(size);
	if (sidecar->name != NULL)
		(void)snprintf(sidecar->name, size, "%s" PARTIAL_DIGESTS, name);
}

/* Opens the file of an earlier run; false unless it is this user's own. */
static bool
sidecar_reopen(struct sidecar *sidecar)
{
	struct stat status;
	sidecar->fd = openat(sidecar->directory, sidecar->name, SIDECAR_FLAGS);
	return sidecar->fd != -1 && fstat(sidecar->fd, &status) == 0 && S_ISREG(status.st_mode) &&
		status.st_nlink == 1 && status.st_uid == geteuid();
}

void
sidecar_load(struct sidecar *sidecar, size_t most, struct blocks *blocks)
{
	char wanted[SIDECAR_HEAD], head[SIDECAR_HEAD];
	unsigned char digest[BLOCKS_DIGEST];
	struct iovec line = { head, sizeof head }, piece = { digest, sizeof digest };
	struct fault fault = FAULT_NONE;
	if (sidecar->name == NULL)
		return;
	if (!sidecar_head(wanted) || !sidecar_reopen(sidecar) ||
		sys_readv(sidecar->fd, &line, 1) != (ssize_t)sizeof head ||
		memcmp(head, wanted, sizeof head) != 0) {
		(void)sys_close(&sidecar->fd);
		return;
	}
	while (blocks->count < most &&
		sys_readv(sidecar->fd, &piece, 1) == (ssize_t)sizeof digest &&
		blocks_add_digest(blocks, digest, &fault))
		continue;
	fault_clear(&fault);
	sidecar->count = blocks->count;
	off_t end = (off_t)(SIDECAR_HEAD + blocks->count * BLOCKS_DIGEST);
	if (ftruncate(sidecar->fd, end) == -1 || lseek(sidecar->fd, end, SEEK_SET) == -1)
		(void)sys_close(&sidecar->fd);
}

/* Creates the file. */
static void
sidecar_create(struct sidecar *sidecar)
{
	char head[SIDECAR_HEAD];
	struct iovec line = { head, sizeof head };
	(void)unlinkat(sidecar->directory, sidecar->name, 0);
	sidecar->count = 0;
	if (!sidecar_head(head))
		return;
	sidecar->fd =
		openat(sidecar->directory, sidecar->name, SIDECAR_FLAGS | O_CREAT | O_EXCL, 0600);
	if (sidecar->fd != -1 && sys_writev(sidecar->fd, &line, 1) != (ssize_t)sizeof head)
		sidecar_remove(sidecar);
}

void
sidecar_save(struct sidecar *sidecar, const struct blocks *blocks)
{
	if (sidecar->name == NULL || sidecar->count == blocks->count)
		return;
	if (sidecar->fd == -1)
		sidecar_create(sidecar);
	if (sidecar->fd == -1)
		return;
	size_t size = (blocks->count - sidecar->count) * BLOCKS_DIGEST;
	struct iovec piece = { blocks->list + sidecar->count * BLOCKS_DIGEST, size };
	if (sys_writev(sidecar->fd, &piece, 1) != (ssize_t)size)
		sidecar_remove(sidecar);
	else
		sidecar->count = blocks->count;
}

void
sidecar_remove(struct sidecar *sidecar)
{
	if (sidecar->name != NULL)
		(void)unlinkat(sidecar->directory, sidecar->name, 0);
	(void)sys_close(&sidecar->fd);
	sidecar->count = 0;
}

void
sidecar_close(struct sidecar *sidecar)
{
	(void)sys_close(&sidecar->directory);
	(void)sys_close(&sidecar->fd);
	free(sidecar->name);
	*sidecar = SIDECAR_NONE;
}
