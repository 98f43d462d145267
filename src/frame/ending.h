/* Frames that go up to a delimiter: the search for it, which looks at every byte once however the
 * input comes. */
#ifndef SOCKCAT_FRAME_ENDING_H
#define SOCKCAT_FRAME_ENDING_H

#include "frame/frame.h"

struct ending {
	const unsigned char *text;
	size_t size;     /* of it, > 0 */
	size_t limit;    /* so many bytes may lie in front of it, … */
	const char *why; /* … and if there are more: this */
	bool optional;   /* the end of the input will do, too */
};

/* Where the text begins first at or behind `from`; SIZE_MAX if it does not. */
size_t ending_find(
	const unsigned char *bytes, size_t n, size_t from, const unsigned char *text, size_t size);

/* A decoder whose message is what lies in front of the ending; see frame.h. */
enum frame_result ending_seek(const struct ending *ending, unsigned char *bytes, size_t n,
	bool ended, struct frame_part *part);

/*
 * The same for text, a line of at most `limit` bytes: a CR in front of the LF does not count. A
 * last line without LF is one unless the frame is strict.
 */
enum frame_result ending_seek_line(const struct frame *frame, size_t limit, unsigned char *bytes,
	size_t n, bool ended, struct frame_part *part);

#endif
