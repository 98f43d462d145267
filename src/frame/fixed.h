/* Messages that all have the same length, and nothing between them. */
#ifndef SOCKCAT_FRAME_FIXED_H
#define SOCKCAT_FRAME_FIXED_H

#include "frame/frame.h"

extern const struct frame_format fixed_format;

#endif
