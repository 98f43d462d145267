/* One message per line in hexadecimal digits. */
#ifndef SOCKCAT_FRAME_HEX_H
#define SOCKCAT_FRAME_HEX_H

/* The value of a digit in either case; 16: not a digit. */
unsigned hex_value(unsigned char digit);

/* The lower-case digit of the low four bits. */
unsigned char hex_digit(unsigned value);

#endif
