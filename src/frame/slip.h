/* SLIP (RFC 1055): messages that end with a byte 192, which is escaped inside of them. */
#ifndef SOCKCAT_FRAME_SLIP_H
#define SOCKCAT_FRAME_SLIP_H

#include "frame/frame.h"

extern const struct frame_format slip_format;

#endif
