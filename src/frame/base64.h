/* One message per line in base64 (RFC 4648, section 4), padded and canonical. */
#ifndef SOCKCAT_FRAME_BASE64_H
#define SOCKCAT_FRAME_BASE64_H

#include "frame/frame.h"

/* Encodes; returns the number of characters. */
size_t base64_write(const unsigned char *in, size_t length, unsigned char *out);

/* Decodes n characters into `out`, which may equal `in` and has room for n / 4 * 3 bytes. Sets the
 * message and its length in *part, or returns FRAME_BAD. */
enum frame_result base64_read(
	const unsigned char *in, size_t n, unsigned char *out, struct frame_part *part);

#endif
