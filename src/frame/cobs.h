/* Consistent overhead byte stuffing (Cheshire and Baker, 1997): a message without its NUL bytes,
 * and a NUL behind it. */
#ifndef SOCKCAT_FRAME_COBS_H
#define SOCKCAT_FRAME_COBS_H

#include "frame/frame.h"

extern const struct frame_format cobs_format;

#endif
