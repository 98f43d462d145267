/* C escapes of single bytes: \n \r \t \0 \\ \xHH. */
#ifndef SOCKCAT_FRAME_ESCAPE_H
#define SOCKCAT_FRAME_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* The longest escape in bytes. */
#define ESCAPE_MAX 4

/* The size of the escape of a byte. */
size_t escape_size(unsigned char byte);

/* Writes the escape; returns its size. */
size_t escape_write(unsigned char byte, unsigned char *out);

/* The size of the escape, or of the single byte, at the start of n > 0 bytes. Not whole: the size
 * of the longest prefix that can begin an escape; the next byte, if any, is invalid. */
size_t escape_scan(const unsigned char *in, size_t n, bool *whole);

/* Decodes the escape, or the byte, at the start of n > 0 bytes. Returns its size; 0 for a backslash
 * that does not begin a whole escape. */
size_t escape_read(const unsigned char *in, size_t n, unsigned char *byte);

#endif
