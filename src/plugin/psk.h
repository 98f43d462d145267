/*
 * Pre-shared keys of TLS: lines "IDENTITY:KEY", the key in hexadecimal. Empty lines, and those
 * that begin with '#', are skipped. An identity may have colons. A client that has chosen an
 * identity may have its key as a line without one.
 */
#ifndef SOCKCAT_PLUGIN_PSK_H
#define SOCKCAT_PLUGIN_PSK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

/* In bytes. RFC 9257: a key that is shorter can be guessed. */
#define PSK_KEY_MIN ((size_t)16)
#define PSK_KEY_MAX ((size_t)64)
#define PSK_IDENTITY_MAX ((size_t)128)

struct psk {
	const char *identity;
	const unsigned char *key;
	size_t size; /* of the key in bytes */
};

/* Initially zeroed. */
struct psk_list {
	char *text; /* owned: what the keys are in */
	struct psk *keys;
	size_t count;
};

/* Reads a text, which is allocated and taken; at least one key is needed. `chosen`: the identity
 * whose key becomes the first, not owned; NULL: any. `source`: for messages. False:
 * STATUS_CREDENTIALS or STATUS_MEMORY. */
bool psk_parse(struct psk_list *list, char *text, const char *chosen, const char *source,
	struct fault *fault);

/* The key of an identity; NULL: there is none. */
const struct psk *psk_find(const struct psk_list *list, const void *identity, size_t size);

void psk_close(struct psk_list *list);

#endif
