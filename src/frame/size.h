/* Sums and products of sizes; SIZE_MAX on overflow. */
#ifndef SOCKCAT_FRAME_SIZE_H
#define SOCKCAT_FRAME_SIZE_H

#include <stddef.h>
#include <stdint.h>

static inline size_t
size_add(size_t a, size_t b)
{
	return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t
size_multiply(size_t a, size_t b)
{
	return b > 1 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

#endif
