/* Amounts of bytes and of time, as text for people. */
#ifndef SOCKCAT_BASE_AMOUNT_H
#define SOCKCAT_BASE_AMOUNT_H

#include <stdint.h>

/* The room for any of them. */
#define AMOUNT_ROOM 24

/* "999 B", "1.3 GB": powers of 1000. */
void amount_put_size(char text[static AMOUNT_ROOM], uint64_t bytes);

/* "1.3 MB/s" */
void amount_put_rate(char text[static AMOUNT_ROOM], uint64_t rate);

/* "0:17", "2:03:09", "5d 07h" of a time in nanoseconds. */
void amount_put_span(char text[static AMOUNT_ROOM], uint64_t span);

#endif
