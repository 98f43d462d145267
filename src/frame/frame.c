/* The table of frame formats; see frame.h. */
#include "frame/frame.h"

#include <string.h>

#include "frame/base64.h"
#include "frame/cobs.h"
#include "frame/content.h"
#include "frame/decimal.h"
#include "frame/delimited.h"
#include "frame/fixed.h"
#include "frame/hex.h"
#include "frame/integer.h"
#include "frame/json.h"
#include "frame/slip.h"
#include "frame/varint.h"
#include "frame/whole.h"

static const struct frame_format *const frame_rows[] = {
	&delimited_line,
	&delimited_crlf,
	&delimited_nul,
	&delimited_delim,
	&fixed_format,
	&integer_u8,
	&integer_u16be,
	&integer_u16le,
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

bool
frame_parse(struct frame *frame, const char *text, size_t max, struct fault *fault)
{
	size_t name = strcspn(text, ":,");
	const struct frame_format *format = NULL;
	for (size_t i = 0; format == NULL && frame_row(i) != NULL; i++)
		if (strlen(frame_row(i)->name) == name &&
			strncmp(frame_row(i)->name, text, name) == 0)
			format = frame_row(i);
	if (format == NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"frame '%s': there is no such format (sockcat --list-formats)", text);
	*frame = (struct frame){ .format = format, .max = max };
	const char *why = "it has no parameters";
	bool good = format->parse != NULL ? format->parse(frame, text + name, &why)
					  : text[name] == '\0';
	if (!good)
		return fault_set(fault, STATUS_VALUE, 0, "frame '%s': %s", text, why);
	if (format->ready != NULL && !format->ready(&why))
		return fault_set(fault, STATUS_MISSING, 0, "frame '%s': %s", text, why);
	return true;
}

size_t
frame_limit(const struct frame *frame)
{
	return frame->format->limit != NULL ? frame->format->limit(frame)
					    : frame->format->bound(frame, frame->max);
}
