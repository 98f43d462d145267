/* The rows of the table in frame.c. */
#ifndef SOCKCAT_FRAME_FORMATS_H
#define SOCKCAT_FRAME_FORMATS_H

#include "frame/frame.h"

extern const struct frame_format base64_format, cobs_format, content_length, decimal_netstring,
	decimal_octets, delimited_crlf, delimited_delim, delimited_line, delimited_nul,
	fixed_format, hex_format, integer_u16be, integer_u16le, integer_u24be, integer_u24le,
	integer_u32be, integer_u32le, integer_u64be, integer_u64le, integer_u8, json_format,
	slip_format, varint_format, whole_datagram;

#endif
