/* Messages after their length in decimal digits. */
#ifndef SOCKCAT_FRAME_DECIMAL_H
#define SOCKCAT_FRAME_DECIMAL_H

#include "frame/frame.h"

/* The most digits of a size_t. */
#define DECIMAL_MAX 20

/*
 * Reads a length at *at, without leading zeros and at most frame->max, and advances *at past its
 * digits. FRAME_MORE: the n bytes end before or in the number.
 */
enum frame_result decimal_read(const struct frame *frame, const unsigned char *bytes, size_t n,
	size_t *at, size_t *length, struct frame_part *part);

/* Writes the digits; returns their number. */
size_t decimal_write(size_t value, unsigned char *out);

#endif
