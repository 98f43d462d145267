/*
 * The digests of the complete blocks of a part, kept beside it as ".NAME.part.blocks", so that they
 * need not be computed again when the transfer is resumed. They are valid only until the system is
 * started again, as they may have reached the disk before the data; and only a help: where they
 * cannot be read or written, the part itself is read.
 */
#ifndef SOCKCAT_TRANSFER_SIDECAR_H
#define SOCKCAT_TRANSFER_SIDECAR_H

#include "transfer/blocks.h"

struct sidecar {
	int directory; /* owned */
	int fd;        /* owned; -1: nothing is written */
	char *name;    /* owned; NULL: there is none */
	size_t count;  /* digests that are written */
};

#define SIDECAR_NONE ((struct sidecar){ -1, -1, NULL, 0 })

/* `part`: the path of the part; `directory`: of its directory, not taken. Without memory or
 * descriptors there is no sidecar. */
void sidecar_open(struct sidecar *sidecar, int directory, const char *part);

/* Adds the digests of an earlier run, at most `most`, to blocks that are empty. */
void sidecar_load(struct sidecar *sidecar, size_t most, struct blocks *blocks);

/* Writes what is complete; begins a new file if nothing is written. */
void sidecar_save(struct sidecar *sidecar, const struct blocks *blocks);

/* Removes the file. */
void sidecar_remove(struct sidecar *sidecar);

/* Frees it; SIDECAR_NONE is allowed, and results. */
void sidecar_close(struct sidecar *sidecar);

#endif
