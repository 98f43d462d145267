/* Messages that end with a delimiter, which they cannot contain unless it is escaped. */
#include "frame/formats.h"

#include <string.h>

#include "frame/ending.h"
#include "frame/escape.h"
#include "frame/part.h"

/* The result of scanning the text of a message. */
struct delimited_walk {
	size_t at;    /* the first invalid byte; the end of the scanned bytes: none */
	size_t unit;  /* the start of the last, incomplete, byte or escape */
	size_t count; /* bytes of the message before `unit` */
	const char *why;
};

/* The number of bytes at `at` that match the delimiter. */
static size_t
delimited_match(const struct frame *frame, const unsigned char *bytes, size_t n, size_t at)
{
	size_t same = 0;
	while (same < frame->delimiter_length && at + same < n &&
		bytes[at + same] == frame->delimiter[same])
		same++;
	return same;
}

/* Scans text with escapes up to `stop`, if a byte or escape ends there, or else up to `end`. */
static struct delimited_walk
delimited_walk_escapes(const struct frame *frame, const unsigned char *bytes, size_t stop,
	size_t end, struct frame_part *part)
{
	size_t size = frame->delimiter_length;
	struct delimited_walk walk = { .unit = part->scanned, .count = part->state };
	while (walk.unit < end && walk.unit != stop) {
		bool whole;
		/* An incomplete delimiter may begin after these. */
		if (end >= size && walk.unit <= end - size) {
			part->scanned = walk.unit;
			part->state = walk.count;
		}
		walk.at = walk.unit;
		walk.why = PART_TOO_LONG;
		if (walk.count == frame->max)
			return walk;
		walk.at += escape_scan(bytes + walk.unit, end - walk.unit, &whole);
		walk.why = "no such escape";
		if (!whole)
			return walk;
		walk.unit = walk.at;
		walk.count++;
	}
	walk.at = walk.unit;
	return walk;
}

/* The same without escapes. */
static struct delimited_walk
delimited_walk_bytes(const struct frame *frame, size_t stop, size_t end, struct frame_part *part)
{
	size_t size = frame->delimiter_length, far = stop < end ? stop : end;
	part->scanned = end >= size ? end - size + 1 : 0;
	if (far > frame->max)
		far = frame->max;
	return (struct delimited_walk){ far, far, far, PART_TOO_LONG };
}

/* The first byte that is neither text nor part of a delimiter; n: none. The text ends at walk->at,
 * but a delimiter may begin before that, at `scanned` or later. */
static size_t
delimited_dead(const struct frame *frame, const unsigned char *bytes, size_t n,
	const struct delimited_walk *walk, size_t scanned)
{
	size_t dead = walk->at, size = frame->delimiter_length, taken;
	size_t from = frame->escape ? scanned : walk->at < size ? 0 : walk->at - size + 1;
	for (size_t i = from; i <= walk->unit && i < n; i += taken) {
		bool whole;
		size_t end = i + delimited_match(frame, bytes, n, i);
		dead = end > dead ? end : dead;
		taken = frame->escape ? escape_scan(bytes + i, n - i, &whole) : 1;
	}
	return dead;
}

/* Decodes the escapes in place; the message only gets shorter. */
static void
delimited_unescape(unsigned char *bytes, struct frame_part *part)
{
	size_t put = 0;
	for (size_t i = 0; i < part->length; put++)
		i += escape_read(bytes + i, part->length - i, &bytes[put]);
	part->length = put;
}

/* Decodes up to the first delimiter, at `stop`; SIZE_MAX: there is none. */
static enum frame_result
delimited_decode_to(const struct frame *frame, unsigned char *bytes, size_t n, size_t stop,
	struct frame_part *part)
{
	size_t size = frame->delimiter_length, scanned = part->scanned;
	size_t end = stop != SIZE_MAX ? stop + size : n;
	struct delimited_walk walk = frame->escape
		? delimited_walk_escapes(frame, bytes, stop, end, part)
		: delimited_walk_bytes(frame, stop, end, part);
	if (walk.at == stop && walk.unit == stop) {
		part_done(part, bytes, stop, end);
	} else if (walk.at < end) {
		size_t dead = delimited_dead(frame, bytes, end, &walk, scanned);
		if (dead < end || stop != SIZE_MAX)
			return part_bad(part, dead < end ? dead : end - 1, walk.why);
		return FRAME_MORE;
	} else if (stop != SIZE_MAX) {
		return part_bad(part, end - 1, "no such escape");
	} else if (!part->ended || frame->format != &delimited_line || frame->strict) {
		return FRAME_MORE;
	} else if (walk.unit < n) {
		return part_bad(part, n, "no such escape");
	} else {
		part_done(part, bytes, n, n);
	}
	if (frame->escape)
		delimited_unescape(bytes, part);
	return FRAME_DONE;
}

/* The text ends at the first delimiter, even one inside an escape. */
static enum frame_result
delimited_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	size_t size = frame->delimiter_length;
	size_t stop = ending_find(bytes, n, part->scanned, frame->delimiter, size);
	/* Nothing more can be wrong with it. */
	if (!frame->escape && stop != SIZE_MAX && stop <= frame->max)
		return part_done(part, bytes, stop, stop + size);
	return delimited_decode_to(frame, bytes, n, stop, part);
}

static bool
delimited_escapes(const struct frame *frame, unsigned char byte)
{
	return frame->escape &&
		(byte == '\\' || memchr(frame->delimiter, byte, frame->delimiter_length) != NULL);
}

/*
 * The longest prefix that can be encoded of a message whose text in `out` contains a delimiter at
 * `end`. A prefix up to `end` may not be short enough: its last bytes and the delimiter after them
 * may contain another delimiter.
 */
static size_t
delimited_fits(
	const struct frame *frame, const unsigned char *message, unsigned char *out, size_t end)
{
	size_t span = frame->delimiter_length, size = 0, fits = 0;
	for (;; fits++) {
		bool escaped = delimited_escapes(frame, message[fits]);
		size_t step = escaped ? escape_size(message[fits]) : 1;
		if (size + step > end)
			break;
		size += step;
	}
	while (fits > 0) {
		size_t from = size < span ? 0 : size - span + 1;
		memcpy(out + size, frame->delimiter, span);
		if (ending_find(out, size + span, from, frame->delimiter, span) == size)
			break;
		fits--;
		size -= delimited_escapes(frame, message[fits]) ? escape_size(message[fits]) : 1;
	}
	return fits;
}

static size_t
delimited_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	size_t size = length;
	(void)about;
	if (frame->escape) {
		size = 0;
		for (size_t i = 0; i < length; i++) {
			if (delimited_escapes(frame, message[i]))
				size += escape_write(message[i], out + size);
			else
				out[size++] = message[i];
		}
	} else {
		memcpy(out, message, length);
	}
	size_t total = size + frame->delimiter_length;
	memcpy(out + size, frame->delimiter, frame->delimiter_length);
	/* The end of the message and the start of the delimiter may form a delimiter. */
	size_t end = ending_find(out, total, 0, frame->delimiter, frame->delimiter_length);
	if (end == size)
		return total;
	return part_refuse(
		refusal, frame->format->cannot, delimited_fits(frame, message, out, end));
}

static bool
delimited_parse_delim(struct frame *frame, const char *text, const char **why)
{
	*why = "expected delim:STR";
	if (text[0] != ':' || text[1] == '\0')
		return false;
	const unsigned char *in = (const unsigned char *)text + 1;
	size_t n = strlen(text + 1), taken;
	for (size_t i = 0; i < n; i += taken) {
		unsigned char byte;
		taken = escape_read(in + i, n - i, &byte);
		if (taken == 0) {
			*why = "the escapes of a delimiter are \\n \\r \\t \\0 \\\\ \\xHH";
			return false;
		}
		if (frame->delimiter_length == sizeof frame->delimiter) {
			*why = "a delimiter has at most 64 bytes";
			return false;
		}
		frame->delimiter[frame->delimiter_length++] = byte;
	}
	return true;
}

const struct frame_format delimited_line = {
	.name = "line",
	.usage = "line",
	.layout = "the bytes, then LF; a last line without LF is a message too",
	.cannot = "a line break",
	.delimiter = "\n",
	.delimiter_length = 1,
	.decode = delimited_decode,
	.growth = { .per = 1, .times = 1 },
	.encode = delimited_encode,
};

const struct frame_format delimited_crlf = {
	.name = "crlf",
	.usage = "crlf",
	.layout = "the bytes, then CR LF",
	.cannot = "CR LF",
	.delimiter = "\r\n",
	.delimiter_length = 2,
	.decode = delimited_decode,
	.growth = { .per = 1, .times = 1 },
	.encode = delimited_encode,
};

const struct frame_format delimited_nul = {
	.name = "nul",
	.usage = "nul",
	.layout = "the bytes, then NUL (find -print0, xargs -0)",
	.cannot = "a NUL byte",
	.delimiter = "\0",
	.delimiter_length = 1,
	.decode = delimited_decode,
	.growth = { .per = 1, .times = 1 },
	.encode = delimited_encode,
};

const struct frame_format delimited_delim = {
	.name = "delim",
	.usage = "delim:STR",
	.layout = "the bytes, then STR (1-64 bytes; escapes \\n \\r \\t \\0 \\\\ \\xHH)",
	.cannot = "the delimiter",
	.parse = delimited_parse_delim,
	.decode = delimited_decode,
	.growth = { .per = 1, .times = 1 },
	.encode = delimited_encode,
};
