/*
 * Numbers, times and sizes from the command line. The whole text has to be the value: "80x", "",
 * " 80", "+80" and "-1" are rejected.
 */
#ifndef SOCKCAT_BASE_PARSE_H
#define SOCKCAT_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

enum parse {
	PARSE_OK,
	PARSE_BAD,  /* not a value of this form */
	PARSE_RANGE /* well-formed, but larger than max or the type */
};

/* The longest accepted time in seconds, about 31 years. */
#define PARSE_TIME_MAX INT64_C(1000000000)

/* Decimal digits, 0 to max. */
enum parse parse_count(const char *text, uint64_t max, uint64_t *value);

/* The same, or hexadecimal digits after "0x". */
enum parse parse_number(const char *text, uint64_t max, uint64_t *value);

/* Seconds ("2", "0.5", ".5") or with units ("500ms", "3m", "1h", "1m30s"), up to PARSE_TIME_MAX
 * seconds, into nanoseconds. Digits beyond a nanosecond are dropped. */
enum parse parse_time(const char *text, int64_t *nanoseconds);

/* "5", "0.5", "5%", up to 100, into parts per million. Smaller parts are dropped. */
enum parse parse_percent(const char *text, uint64_t *millionths);

/* Bytes, or with the unit k, M or G (powers of 1024; either case), up to max. */
enum parse parse_size(const char *text, uint64_t max, uint64_t *bytes);

#endif
