/* Messages behind a header with their length; see content.h. */
#include "frame/content.h"

#include <string.h>
#include <strings.h>

#include "frame/decimal.h"
#include "frame/ending.h"
#include "frame/part.h"
#include "frame/size.h"

/* The largest header, with the empty line that ends it. */
#define CONTENT_HEADER_MAX 8192

static const unsigned char content_end[] = { '\r', '\n', '\r', '\n' };
static const char content_field[] = "Content-Length";

static bool
content_is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The value between `at` and `end`: a length, and blanks around it. */
static enum frame_result
content_value(const struct frame *frame, const unsigned char *bytes, size_t at, size_t end,
	size_t *length, struct frame_part *part)
{
	while (at < end && content_is_blank(bytes[at]))
		at++;
	/* The CR behind the field is there to be read, and no digit. */
	enum frame_result result = decimal_read(frame, bytes, end + 1, &at, length, part);
	if (result != FRAME_DONE)
		return result;
	while (at < end && content_is_blank(bytes[at]))
		at++;
	return at == end ? FRAME_DONE : part_bad(part, at, "a Content-Length that is no number");
}

/* Looks through a header of which each line ends with CR LF, the last one at `end`. */
static enum frame_result
content_header(const struct frame *frame, const unsigned char *bytes, size_t end, size_t *length,
	struct frame_part *part)
{
	const size_t name = sizeof content_field - 1;
	bool found = false;
	for (size_t at = 0; at < end;) {
		size_t stop = ending_find(bytes, end, at, content_end, 2);
		const unsigned char *colon = memchr(bytes + at, ':', stop - at);
		if (colon == NULL)
			return part_bad(part, at, "a line of the header without ':'");
		size_t value = (size_t)(colon - bytes) + 1;
		if (value - at == name + 1 &&
			strncasecmp((const char *)bytes + at, content_field, name) == 0) {
			if (found)
				return part_bad(part, at, "a second Content-Length");
			found = true;
			enum frame_result result =
				content_value(frame, bytes, value, stop, length, part);
			if (result != FRAME_DONE)
				return result;
		}
		at = stop + 2;
	}
	return found ? FRAME_DONE : part_bad(part, end, "a header without Content-Length");
}

static enum frame_result
content_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	const struct ending header = {
		.text = content_end,
		.size = sizeof content_end,
		.limit = CONTENT_HEADER_MAX - sizeof content_end,
		.why = "a header of more than 8,192 bytes",
	};
	size_t length = 0;
	/* The header was looked through before. */
	if (n < part->wanted)
		return FRAME_MORE;
	enum frame_result result = ending_seek(&header, bytes, n, ended, part);
	if (result != FRAME_DONE)
		return result;
	size_t head = part->consumed;
	result = content_header(frame, bytes, head - 2, &length, part);
	if (result != FRAME_DONE)
		return result;
	size_t total = size_add(head, length);
	if (n < total)
		return part_more(part, total);
	return part_done(part, bytes + head, length, total);
}

static size_t
content_bound(const struct frame *frame, size_t length)
{
	(void)frame;
	return size_add(length, sizeof content_field - 1 + 2 + DECIMAL_MAX + sizeof content_end);
}

static size_t
content_limit(const struct frame *frame)
{
	return size_add(frame->max, CONTENT_HEADER_MAX);
}

static size_t
content_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t put = sizeof content_field - 1;
	(void)frame;
	(void)about;
	(void)refusal;
	memcpy(out, content_field, put);
	out[put++] = ':';
	out[put++] = ' ';
	put += decimal_write(length, out + put);
	memcpy(out + put, content_end, sizeof content_end);
	put += sizeof content_end;
	memcpy(out + put, message, length);
	return put + length;
}

const struct frame_format content_length = {
	.name = "content-length",
	.usage = "content-length",
	.layout = "\"Content-Length: N\", CR LF CR LF, the bytes (LSP, DAP)",
	.cannot = "",
	.decode = content_decode,
	.bound = content_bound,
	.limit = content_limit,
	.encode = content_encode,
};
