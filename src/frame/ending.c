/* The search for a delimiter; see ending.h. */
#include "frame/ending.h"

#include <string.h>

#include "frame/part.h"
#include "frame/size.h"

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
ending_seek(const struct ending *ending, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	size_t at = ending_find(bytes, n, part->scanned, ending->text, ending->size);
	if (at != SIZE_MAX) {
		if (at > ending->limit)
			return part_bad(part, ending->limit, ending->why);
		return part_done(part, bytes, at, at + ending->size);
	}
	/* Its last bytes may be the beginning of the ending. */
	if (n >= ending->size)
		part->scanned = n - ending->size + 1;
	if (n >= size_add(ending->limit, ending->size))
		return part_bad(part, ending->limit, ending->why);
	if (ended && ending->optional)
		return part_done(part, bytes, n, n);
	return FRAME_MORE;
}

enum frame_result
ending_seek_line(const struct frame *frame, size_t limit, unsigned char *bytes, size_t n,
	bool ended, struct frame_part *part)
{
	const struct ending line = {
		.text = (const unsigned char *)"\n",
		.size = 1,
		.limit = size_add(limit, 1),
		.why = PART_TOO_LONG,
		.optional = !frame->strict,
	};
	enum frame_result result = ending_seek(&line, bytes, n, ended, part);
	if (result == FRAME_BAD)
		part->offset = limit;
	if (result != FRAME_DONE)
		return result;
	if (part->length > 0 && bytes[part->length - 1] == '\r')
		part->length--;
	return part->length > limit ? part_bad(part, limit, PART_TOO_LONG) : FRAME_DONE;
}
