/* Messages behind a header with their length, as the Language Server Protocol and the Debug
 * Adapter Protocol have it. */
#ifndef SOCKCAT_FRAME_CONTENT_H
#define SOCKCAT_FRAME_CONTENT_H

#include "frame/frame.h"

extern const struct frame_format content_length;

#endif
