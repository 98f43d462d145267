/* Messages behind their length, an integer of a fixed width. */
#ifndef SOCKCAT_FRAME_INTEGER_H
#define SOCKCAT_FRAME_INTEGER_H

#include "frame/frame.h"

extern const struct frame_format integer_u8, integer_u16be, integer_u16le, integer_u32be,
	integer_u32le, integer_u64be, integer_u64le;

#endif
