/* Messages after a Content-Length header, as in the Language Server Protocol and the Debug Adapter
 * Protocol. */
#include "frame/formats.h"

#include <string.h>
#include <strings.h>

#include "frame/decimal.h"
#include "frame/part.h"
#include "frame/size.h"

/* The largest header in bytes, with the empty line. */
#define CONTENT_HEADER_MAX 8192

/* The size of the header that is sent. */
#define CONTENT_PLUS (sizeof content_field - 1 + 2 + DECIMAL_MAX + sizeof content_end)

static const unsigned char content_end[] = { '\r', '\n', '\r', '\n' };
static const char content_field[] = "Content-Length";

static bool
content_is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Whether the character is allowed in a field name: a token (RFC 9110, section 5.6.2). */
static bool
content_is_name(unsigned char byte)
{
	bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
	return letter || (byte > ' ' && byte < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", byte) == NULL);
}

/* Whether the character is allowed in a field value: no control characters (RFC 9110, section 5.5).
 */
static bool
content_is_value(unsigned char byte)
{
	return content_is_blank(byte) || (byte > ' ' && byte != 0x7f);
}

/* Reads the CR LF at *at. */
static enum frame_result
content_break(
	const unsigned char *bytes, size_t n, size_t *at, const char *why, struct frame_part *part)
{
	if (*at < n && bytes[*at] != '\r')
		return part_bad(part, *at, why);
	if (n - *at < 2)
		return FRAME_MORE;
	if (bytes[*at + 1] != '\n')
		return part_bad(part, *at + 1, "a CR without LF in the header");
	*at += 2;
	return FRAME_DONE;
}

/* Reads the header field at *at. */
static enum frame_result
content_take(const struct frame *frame, const unsigned char *bytes, size_t n, size_t *at,
	bool *found, size_t *length, struct frame_part *part)
{
	const char *why = "a control character in the header";
	size_t first = *at, i = first, name = sizeof content_field - 1;
	while (i < n && content_is_name(bytes[i]))
		i++;
	if (i == n)
		return FRAME_MORE;
	if (bytes[i] != ':' || i == first)
		return part_bad(part, i,
			i > first ? "no ':' after the name of a header field"
				: content_is_blank(bytes[i]) ? "a folded line in the header"
							     : "a header field without a name");
	bool wanted = i - first == name &&
		strncasecmp((const char *)bytes + first, content_field, name) == 0;
	if (wanted && *found)
		return part_bad(part, i, "a second Content-Length");
	i++;
	while (i < n && content_is_blank(bytes[i]))
		i++;
	if (wanted) {
		enum frame_result result = decimal_read(frame, bytes, n, &i, length, part);
		if (result != FRAME_DONE)
			return result;
		why = "a Content-Length that is not a number";
		*found = true;
	}
	while (i < n && (wanted ? content_is_blank(bytes[i]) : content_is_value(bytes[i])))
		i++;
	*at = i;
	return content_break(bytes, n, at, why, part);
}

/* Reads the header and the empty line. */
static enum frame_result
content_header(const struct frame *frame, const unsigned char *bytes, size_t n, size_t *head,
	size_t *length, struct frame_part *part)
{
	bool found = false;
	while (*head < n && bytes[*head] != '\r') {
		enum frame_result result =
			content_take(frame, bytes, n, head, &found, length, part);
		if (result != FRAME_DONE)
			return result;
	}
	if (*head < n && !found)
		return part_bad(part, *head, "a header without Content-Length");
	return content_break(bytes, n, head, "", part);
}

static enum frame_result
content_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t head = 0, length = 0, seen = n < CONTENT_HEADER_MAX ? n : CONTENT_HEADER_MAX;
	/* The header was read by an earlier call. */
	if (n < part->wanted)
		return FRAME_MORE;
	/* Headers are short: read them from the start each time. */
	enum frame_result result = content_header(frame, bytes, seen, &head, &length, part);
	if (result == FRAME_MORE && seen == CONTENT_HEADER_MAX)
		return part_bad(part, seen - 1, "a header of more than 8,192 bytes");
	if (result == FRAME_MORE)
		return part_more(part, n + 1);
	if (result == FRAME_BAD)
		return result;
	size_t total = size_add(head, length);
	if (n < total)
		return part_more(part, total);
	return part_done(part, bytes + head, length, total);
}

static size_t
content_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t put = sizeof content_field - 1;
	(void)frame, (void)about, (void)refusal;
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
	.growth = { .per = 1, .times = 1, .plus = CONTENT_PLUS, .spare = CONTENT_HEADER_MAX },
	.encode = content_encode,
};
