/* Hexadecimal digits, and the format hex: one message per line. */
#ifndef SOCKCAT_FRAME_HEX_H
#define SOCKCAT_FRAME_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a digit in either case; 16: not a digit. */
unsigned hex_value(unsigned char digit);

/* The lower-case digit of the low four bits. */
unsigned char hex_digit(unsigned value);

/* Decodes 2 * n digits to n bytes, which may begin where the text does. False: one is not a digit,
 * such as the NUL that ends the text. */
bool hex_read(const char *text, size_t n, unsigned char *out);

#endif
