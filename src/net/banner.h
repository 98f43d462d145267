/*
 * Banners: the first line that a service sends after the connection is established, or after a
 * request. It is kept up to BANNER_MAX bytes, whatever the peer sends, and escaped (text.h).
 *
 * Empty lines before it are skipped. A line ends at LF, unless a zero byte precedes it: that is a
 * binary greeting, whose end is the end of the data, or of the owner's patience.
 */
#ifndef SOCKCAT_NET_BANNER_H
#define SOCKCAT_NET_BANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* The most bytes that are read. */
#define BANNER_MAX 256

struct banner_config {
	bool wanted;
	unsigned char *request; /* owned: sent first; NULL: none */
	size_t length;          /* of the request */
	int64_t wait;           /* the span after the connection is established */
};

/* Initially zeroed. */
struct banner {
	unsigned char bytes[BANNER_MAX];
	size_t length;
	size_t sent; /* bytes of the request */
};

/* Parses the argument of --banner: NULL, or "send:TEXT" with the escapes of escape.h. Status 3 or
 * 27. */
bool banner_parse(struct banner_config *config, const char *text, struct fault *fault);

/* Frees the request. */
void banner_close(struct banner_config *config);

/* Adds up to n bytes; returns their number, less than n if the banner is complete. */
size_t banner_add(struct banner *banner, const unsigned char *bytes, size_t n);

/* Whether more bytes would not be a part of the banner. */
bool banner_is_complete(const struct banner *banner);

/* The line, escaped, ending in "..." if it is longer than that. The caller frees it. NULL: there is
 * none, or out of memory. */
char *banner_text(const struct banner *banner);

#endif
