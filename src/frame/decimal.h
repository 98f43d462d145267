/* Messages behind their length in decimal digits. */
#ifndef SOCKCAT_FRAME_DECIMAL_H
#define SOCKCAT_FRAME_DECIMAL_H

#include "frame/frame.h"

extern const struct frame_format decimal_netstring, decimal_octets;

/* The most digits of a size. */
#define DECIMAL_MAX 20

/*
 * Reads the length that begins at *at, without leading zeros and not above frame->max, and moves
 * *at to the byte behind its last digit. FRAME_MORE: there is none among the n bytes.
 */
enum frame_result decimal_read(const struct frame *frame, const unsigned char *bytes, size_t n,
	size_t *at, size_t *length, struct frame_part *part);

/* Writes the digits; returns how many. */
size_t decimal_write(size_t value, unsigned char *out);

#endif
