/* A message a line, as hexadecimal digits. */
#ifndef SOCKCAT_FRAME_HEX_H
#define SOCKCAT_FRAME_HEX_H

#include "frame/frame.h"

extern const struct frame_format hex_format;

/* The value of a digit, either case; 16 and more if it is none. */
unsigned hex_value(unsigned char digit);

/* The digit of a value below 16. */
unsigned char hex_digit(unsigned value);

#endif
