/* What the plug-in `digest` exports: the digests of a library. */
#ifndef SOCKCAT_PLUGIN_DIGEST_OPS_H
#define SOCKCAT_PLUGIN_DIGEST_OPS_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/plugin.h"

struct digest_ops {
	struct plugin_head head;
	/* `algorithm` is the library's name of it. NULL: out of memory, or the library has not got
	 * it. */
	void *(*start)(const char *algorithm);
	bool (*add)(void *state, const void *bytes, size_t length);
	/* Writes `size` bytes, the size of the algorithm's result. */
	bool (*finish)(void *state, unsigned char *out, size_t size);
	void (*free)(void *state);
};

#endif
