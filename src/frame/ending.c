/* Delimiters and line breaks; see ending.h. */
#include "frame/ending.h"

#include <string.h>

#include "frame/part.h"

size_t
ending_find(
	const unsigned char *bytes, size_t n, size_t from, const unsigned char *text, size_t size)
{
	while (from <= n && n - from >= size) {
		const unsigned char *first = memchr(bytes + from, text[0], n - from - size + 1);
		if (first == NULL)
			return SIZE_MAX;
		from = (size_t)(first - bytes);
		if (size == 1 || memcmp(first, text, size) == 0)
			return from;
		from++;
	}
	return SIZE_MAX;
}

enum frame_result
ending_line(const struct frame *frame, unsigned char *bytes, size_t n, size_t at, const char *why,
	struct frame_part *part)
{
	size_t end = at;
	if (end < n && bytes[end] == '\r')
		end++;
	if (end < n && bytes[end] == '\n')
		return part_done(part, bytes, at, end + 1);
	if (end < n)
		return part_bad(part, end, end > at ? "a CR without LF" : why);
	return part->ended && !frame->strict ? part_done(part, bytes, at, n) : FRAME_MORE;
}
