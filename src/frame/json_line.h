/*
 * A JSON object (RFC 8259) of which some members matter. Every other member may be anything that
 * the grammar allows; names may repeat but for those that matter.
 */
#ifndef SOCKCAT_FRAME_JSON_LINE_H
#define SOCKCAT_FRAME_JSON_LINE_H

#include "frame/frame.h"

/* The longest name of a member that matters. */
#define JSON_LINE_NAME_MAX 8

struct json_member {
	const char *name; /* at most JSON_LINE_NAME_MAX bytes of ASCII */
	bool there;
	bool string, number; /* what its value is; neither: something else */
	size_t from, to;     /* of the value: the characters of the number, or the bytes between
				the quotes, still escaped */
};

/* Parses the n bytes and fills in the members. FRAME_MORE: they are the beginning of an object.
 * FRAME_BAD: at the first byte with which no object can continue. */
enum frame_result json_line_parse(struct json_member *members, size_t count,
	const unsigned char *bytes, size_t n, struct frame_part *part);

/*
 * Decodes the escapes of n valid bytes between quotes into `out`, which may be `in`; the result is
 * never longer. False: a surrogate has no partner; *bad is the offset behind it.
 */
bool json_line_unescape(
	const unsigned char *in, size_t n, unsigned char *out, size_t *length, size_t *bad);

#endif
