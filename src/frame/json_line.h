/*
 * A JSON object (RFC 8259) of which two members matter, the strings "text" and "base64". Every
 * other member may be anything that the grammar allows; names may repeat but for these two.
 */
#ifndef SOCKCAT_FRAME_JSON_LINE_H
#define SOCKCAT_FRAME_JSON_LINE_H

#include "frame/frame.h"

struct json_member {
	bool there, string;
	size_t from, to; /* of a string: the bytes between its quotes, still escaped */
};

struct json_line {
	struct json_member text, base64;
};

/* Parses the n bytes. FRAME_MORE: they are the beginning of an object. FRAME_BAD: at the first byte
 * with which no object can continue. */
enum frame_result json_line_parse(
	struct json_line *line, const unsigned char *bytes, size_t n, struct frame_part *part);

/*
 * Decodes the escapes of n valid bytes between quotes into `out`, which may be `in`; the result is
 * never longer. False: a surrogate has no partner; *bad is the offset behind it.
 */
bool json_line_unescape(
	const unsigned char *in, size_t n, unsigned char *out, size_t *length, size_t *bad);

#endif
