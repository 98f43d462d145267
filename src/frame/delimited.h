/* Messages that end with a delimiter, which they cannot hold unless it is escaped. */
#ifndef SOCKCAT_FRAME_DELIMITED_H
#define SOCKCAT_FRAME_DELIMITED_H

#include "frame/frame.h"

extern const struct frame_format delimited_line, delimited_crlf, delimited_nul, delimited_delim;

#endif
