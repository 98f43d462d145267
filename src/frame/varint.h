/* Messages behind their length as LEB128: seven bits a byte, least significant first, as
 * Protocol Buffers delimit messages. */
#ifndef SOCKCAT_FRAME_VARINT_H
#define SOCKCAT_FRAME_VARINT_H

#include "frame/frame.h"

extern const struct frame_format varint_format;

#endif
