/*
 * A message a line, as a JSON object: {"time":…,"from":…,"text":…}, or "base64" in place of "text"
 * if the bytes are not UTF-8. Read by the library jansson, which is loaded when a user asks for the
 * format; a build may be without it.
 */
#ifndef SOCKCAT_FRAME_JSON_H
#define SOCKCAT_FRAME_JSON_H

#include "frame/frame.h"

extern const struct frame_format json_format;

#endif
