/* C escapes of single bytes: \n \r \t \0 \\ \xHH. */
#ifndef SOCKCAT_FRAME_ESCAPE_H
#define SOCKCAT_FRAME_ESCAPE_H

#include <stddef.h>

/* The longest one. */
#define ESCAPE_MAX 4

/* The bytes that the escape of a byte has. */
size_t escape_size(unsigned char byte);

/* Writes it; returns its size. */
size_t escape_write(unsigned char byte, unsigned char *out);

/* Reads the escape, or the byte, that n > 0 bytes begin with. Returns how many it took; 0 if they
 * begin with a backslash and no escape. */
size_t escape_read(const unsigned char *in, size_t n, unsigned char *byte);

#endif
