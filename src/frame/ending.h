/* Searching delimiters and line breaks. */
#ifndef SOCKCAT_FRAME_ENDING_H
#define SOCKCAT_FRAME_ENDING_H

#include "frame/frame.h"

/* The index of the first occurrence of the text at or after `from`; SIZE_MAX: none. */
size_t ending_find(
	const unsigned char *bytes, size_t n, size_t from, const unsigned char *text, size_t size);

/*
 * Decodes the end of a line at `at`: LF, CR LF, or the end of the input unless the frame is strict.
 * FRAME_DONE: the `at` bytes before it are the message. FRAME_MORE: undecided. FRAME_BAD with the
 * reason `why`: another byte is at `at`.
 */
enum frame_result ending_line(const struct frame *frame, unsigned char *bytes, size_t n, size_t at,
	const char *why, struct frame_part *part);

#endif
