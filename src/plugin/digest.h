/* Message digests, computed by the plug-in `digest`. */
#ifndef SOCKCAT_PLUGIN_DIGEST_H
#define SOCKCAT_PLUGIN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

/* The most bytes of a result. */
#define DIGEST_SIZE 64

struct digest_algorithm {
	const char *name;    /* of the command line: sha256, sha512, blake2b */
	const char *label;   /* in a line of BSD form: SHA256, SHA512, BLAKE2b */
	const char *library; /* its name in the library */
	size_t size;         /* of the result, in bytes */
};

/* Row i of the table, the first is the default; NULL after the last row. */
const struct digest_algorithm *digest_row(size_t i);

/* The algorithm of this name, in any case; NULL: there is none. */
const struct digest_algorithm *digest_find(const char *name);

/* One computation. */
struct digest;

/* Starts one by a name that digest_find knows, or "md5", and opens the plug-in the first time. NULL with a
 * fault: STATUS_MISSING if the plug-in is not installed. The caller frees it. */
struct digest *digest_new(const char *name, struct fault *fault);

/* Adds bytes; after the first ones a thread does it. False with a fault: the library failed, which
 * may be found only at the end. */
bool digest_add(struct digest *digest, const void *bytes, size_t length, struct fault *fault);

/* Ends it: out[0 … *length - 1] is the result. Nothing can be added afterwards. */
bool digest_finish(struct digest *digest, unsigned char out[static DIGEST_SIZE], size_t *length,
	struct fault *fault);

/* NULL is ignored. */
void digest_free(struct digest *digest);

/* Writes a result in lower-case hexadecimal digits, and a NUL. */
void digest_hex(const unsigned char *result, size_t length, char text[static 2 * DIGEST_SIZE + 1]);

#endif
