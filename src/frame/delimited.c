/* Messages that end with a delimiter; see delimited.h. */
#include "frame/delimited.h"

#include <string.h>

#include "frame/ending.h"
#include "frame/escape.h"
#include "frame/part.h"
#include "frame/size.h"

/* The escaped message is undone in its own place, as it only gets shorter. */
static enum frame_result
delimited_undo(const struct frame *frame, unsigned char *bytes, struct frame_part *part)
{
	size_t put = 0, taken;
	for (size_t i = 0; i < part->length; i += taken) {
		unsigned char byte;
		taken = escape_read(bytes + i, part->length - i, &byte);
		if (taken == 0)
			return part_bad(part, i, "a backslash that begins no escape");
		if (put == frame->max)
			return part_bad(part, i, PART_TOO_LONG);
		bytes[put++] = byte;
	}
	part->length = put;
	return FRAME_DONE;
}

static enum frame_result
delimited_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	const struct ending ending = {
		.text = frame->delimiter,
		.size = frame->delimiter_length,
		.limit = frame->escape ? size_multiply(frame->max, ESCAPE_MAX) : frame->max,
		.why = PART_TOO_LONG,
		.optional = frame->format == &delimited_line && !frame->strict,
	};
	enum frame_result result = ending_seek(&ending, bytes, n, ended, part);
	if (result != FRAME_DONE || !frame->escape)
		return result;
	return delimited_undo(frame, bytes, part);
}

static size_t
delimited_bound(const struct frame *frame, size_t length)
{
	return size_add(
		size_multiply(length, frame->escape ? ESCAPE_MAX : 1), frame->delimiter_length);
}

static bool
delimited_escapes(const struct frame *frame, unsigned char byte)
{
	return frame->escape &&
		(byte == '\\' || memchr(frame->delimiter, byte, frame->delimiter_length) != NULL);
}

/*
 * How much of a message can be carried whose text in `out` would end early, at `end`. A cut in
 * front of `end` need not do: with its delimiter behind it, a shorter text may end early, too.
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
	/* The end of the message and the beginning of the delimiter may be a delimiter, too. */
	size_t end = ending_find(out, total, 0, frame->delimiter, frame->delimiter_length);
	if (end == size)
		return total;
	return part_refuse(
		refusal, frame->format->cannot, delimited_fits(frame, message, out, end));
}

static bool
delimited_set(
	struct frame *frame, const char *delimiter, size_t size, const char *text, const char **why)
{
	memcpy(frame->delimiter, delimiter, size);
	frame->delimiter_length = size;
	*why = "it has no parameters";
	return text[0] == '\0';
}

static bool
delimited_parse_line(struct frame *frame, const char *text, const char **why)
{
	return delimited_set(frame, "\n", 1, text, why);
}

static bool
delimited_parse_crlf(struct frame *frame, const char *text, const char **why)
{
	return delimited_set(frame, "\r\n", 2, text, why);
}

static bool
delimited_parse_nul(struct frame *frame, const char *text, const char **why)
{
	return delimited_set(frame, "\0", 1, text, why);
}

static bool
delimited_parse_delim(struct frame *frame, const char *text, const char **why)
{
	*why = "a delimiter is needed: delim:STR";
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
	.layout = "the bytes, then LF; a last line without LF is a message, too",
	.cannot = "a line break",
	.parse = delimited_parse_line,
	.decode = delimited_decode,
	.bound = delimited_bound,
	.encode = delimited_encode,
};

const struct frame_format delimited_crlf = {
	.name = "crlf",
	.usage = "crlf",
	.layout = "the bytes, then CR LF",
	.cannot = "CR LF",
	.parse = delimited_parse_crlf,
	.decode = delimited_decode,
	.bound = delimited_bound,
	.encode = delimited_encode,
};

const struct frame_format delimited_nul = {
	.name = "nul",
	.usage = "nul",
	.layout = "the bytes, then NUL (find -print0, xargs -0)",
	.cannot = "a NUL byte",
	.parse = delimited_parse_nul,
	.decode = delimited_decode,
	.bound = delimited_bound,
	.encode = delimited_encode,
};

const struct frame_format delimited_delim = {
	.name = "delim",
	.usage = "delim:STR",
	.layout = "the bytes, then STR (1-64 bytes; escapes \\n \\r \\t \\0 \\\\ \\xHH)",
	.cannot = "the delimiter",
	.parse = delimited_parse_delim,
	.decode = delimited_decode,
	.bound = delimited_bound,
	.encode = delimited_encode,
};
