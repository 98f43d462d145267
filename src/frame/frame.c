/* The table of frame formats; see frame.h. */
#include "frame/frame.h"

#include <string.h>
#include <strings.h>

#include "base/spelling.h"
#include "frame/escape.h"
#include "frame/formats.h"

static const struct frame_format *const frame_rows[] = {
	&delimited_line,
	&delimited_crlf,
	&delimited_nul,
	&delimited_delim,
	&fixed_format,
	&integer_u8,
	&integer_u16be,
	&integer_u16le,
	&integer_u24be,
	&integer_u24le,
	&integer_u32be,
	&integer_u32le,
	&integer_u64be,
	&integer_u64le,
	&varint_format,
	&decimal_netstring,
	&decimal_octets,
	&content_length,
	&slip_format,
	&cobs_format,
	&hex_format,
	&base64_format,
	&json_format,
	&whole_datagram,
};

const struct frame_format *
frame_row(size_t i)
{
	return i < sizeof frame_rows / sizeof frame_rows[0] ? frame_rows[i] : NULL;
}

/* The format that an unknown name may mean; NULL: none. */
static const struct frame_format *
frame_suggest(const char *name, size_t length)
{
	const struct frame_format *format, *nearest = NULL;
	size_t least = SIZE_MAX;
	for (size_t i = 0; (format = frame_row(i)) != NULL; i++) {
		/* "u32" and "LINE" */
		bool begins = length > 1 && strncasecmp(format->name, name, length) == 0;
		size_t distance = begins ? 1 : spelling_distance(name, length, format->name);
		if (distance >= least)
			continue;
		least = distance;
		nearest = format;
	}
	return nearest;
}

bool
frame_parse(struct frame *frame, const char *text, size_t max, struct fault *fault)
{
	size_t name = strcspn(text, ":,");
	const struct frame_format *format = NULL;
	for (size_t i = 0; format == NULL && frame_row(i) != NULL; i++)
		if (strlen(frame_row(i)->name) == name &&
			strncmp(frame_row(i)->name, text, name) == 0)
			format = frame_row(i);
	if (format == NULL) {
		const struct frame_format *nearest = frame_suggest(text, name);
		return fault_set(fault, STATUS_VALUE, 0,
			nearest != NULL ? "frame '%s': unknown format (did you mean %s?)"
					: "frame '%s': unknown format (see --list-formats)",
			text, nearest != NULL ? nearest->name : "");
	}
	*frame = (struct frame){
		.format = format, .max = max, .delimiter_length = format->delimiter_length
	};
	if (format->delimiter != NULL)
		memcpy(frame->delimiter, format->delimiter, format->delimiter_length);
	const char *why = "the format has no parameters";
	bool good = format->parse != NULL ? format->parse(frame, text + name, &why)
					  : text[name] == '\0';
	if (!good)
		return fault_set(fault, STATUS_VALUE, 0, "frame '%s': %s", text, why);
	return true;
}

struct frame_growth
frame_growth(const struct frame *frame)
{
	struct frame_growth growth = frame->format->growth;
	growth.plus += frame->format->width + frame->delimiter_length + frame->size;
	if (frame->escape && frame->delimiter_length > 0)
		growth.times = ESCAPE_MAX;
	return growth;
}

size_t
frame_limit(const struct frame *frame)
{
	struct frame_growth growth = frame_growth(frame);
	return size_add(frame_bound(&growth, frame->max), growth.spare);
}
