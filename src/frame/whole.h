/* Messages that the transport itself keeps apart. */
#ifndef SOCKCAT_FRAME_WHOLE_H
#define SOCKCAT_FRAME_WHOLE_H

#include "frame/frame.h"

/* Its `max` is what the transport takes. */
extern const struct frame_format whole_datagram;

#endif
