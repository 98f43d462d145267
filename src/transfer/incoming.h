/*
 * A file that is received: its part, the digests of its blocks, and what it becomes. With `resume`
 * a file that has its name and size already is compared, and not sent again if it is the same.
 */
#ifndef SOCKCAT_TRANSFER_INCOMING_H
#define SOCKCAT_TRANSFER_INCOMING_H

#include "base/clock.h"
#include "base/fault.h"
#include "base/io.h"
#include "stream/partial.h"
#include "transfer/blocks.h"
#include "transfer/protocol.h"
#include "transfer/sidecar.h"

/* How long the session that was interrupted may still write the part. */
#define INCOMING_PATIENCE (10 * CLOCK_SECOND)

struct incoming_config {
	const char *directory;     /* where it is stored; not owned */
	mode_t mask;               /* permissions that it does not get */
	bool replace;              /* a file of this name */
	bool resume;               /* continue the part of an earlier run */
	uint64_t max_size;         /* the most bytes of a file; 0: no limit */
	char *const *tree_options; /* of sockcat-archive; not owned */
};

struct incoming {
	const struct incoming_config *config; /* not owned */
	char *name;                           /* owned; NULL: there is none */
	int existing; /* owned: the file that is compared; -1: the part is written */
	uint64_t size;
	uint64_t left;   /* bytes that have not arrived; set by incoming_start */
	uint64_t zeros;  /* the last bytes that have arrived: zeros that are not written yet */
	uint64_t offset; /* bytes of an earlier run: complete blocks, or all; final after
			    incoming_check */
	uint64_t wanted; /* what there is of it whose digests are needed */
	bool digest;     /* digests are computed */
	int64_t until;   /* the session that was interrupted may write the part up to this time; 0:
			    it is open */
	struct partial partial;
	struct partial_result result;
	struct blocks blocks;
	struct sidecar sidecar;
};

#define INCOMING_NONE \
	((struct incoming){ .existing = -1, .partial = PARTIAL_NONE, .sidecar = SIDECAR_NONE })

/* Opens the part of an announced file. `digest`: both sides compute digests. Status 23, 27 or 63;
 * close it in any case. The configuration is used until then. */
bool incoming_open(struct incoming *incoming, const struct incoming_config *config,
	const struct protocol_message *message, bool digest, struct fault *fault);

/* One step of finding out what is there. IO_AGAIN: call again, with `until` after a while; IO_OK:
 * `offset` bytes; IO_FAIL. */
enum io incoming_check(struct incoming *incoming, struct fault *fault);

/* Continues at `offset` of the struct, or from the beginning. */
bool incoming_start(struct incoming *incoming, uint64_t offset, struct fault *fault);

/* Writes the next bytes. */
bool incoming_write(
	struct incoming *incoming, const unsigned char *bytes, size_t n, struct fault *fault);

/* Checks length and digest. Status 18. */
bool incoming_verify(
	struct incoming *incoming, const struct protocol_message *message, struct fault *fault);

/* As partial_commit; a file that was compared is only written to the disk. */
enum io incoming_commit(struct incoming *incoming, struct fault *fault);

/* Frees all; INCOMING_NONE is allowed, and results. The part stays for a later run. */
void incoming_close(struct incoming *incoming);

#endif
