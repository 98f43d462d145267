/* A message a line, in base64 (RFC 4648, section 4; padded, and in the one canonical form). */
#ifndef SOCKCAT_FRAME_BASE64_H
#define SOCKCAT_FRAME_BASE64_H

#include "frame/frame.h"

extern const struct frame_format base64_format;

/* The characters that `length` bytes become; SIZE_MAX if that cannot be counted. */
size_t base64_size(size_t length);

/* Writes them; returns how many. */
size_t base64_write(const unsigned char *in, size_t length, unsigned char *out);

/* Undoes the n characters into `out`, which may be `in`, and has room for n / 4 * 3 bytes: message
 * and length in *part, or FRAME_BAD. */
enum frame_result base64_read(
	const unsigned char *in, size_t n, unsigned char *out, struct frame_part *part);

#endif
