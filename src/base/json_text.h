/* Pieces of JSON (RFC 8259) that is written: characters of a string, and times. */
#ifndef SOCKCAT_BASE_JSON_TEXT_H
#define SOCKCAT_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* The most bytes for one byte: \u001f. */
#define JSON_TEXT_EXPANSION 6

/* The length of a time: 2026-11-25T10:10:48.123456Z */
#define JSON_TEXT_TIME 27

/* The length of the UTF-8 sequence that begins the n > 0 bytes, 0: none does; *valid: how many
 * bytes of it are there and valid. */
size_t json_text_sequence(const unsigned char *bytes, size_t n, size_t *valid);

/* Writes a character below 0x80 for use in a string; returns the number of bytes. */
size_t json_text_put_ascii(unsigned char out[static JSON_TEXT_EXPANSION], unsigned char byte);

/* Writes the n bytes as a string with its quotes into out[room]; returns the number of bytes, 0 if
 * they are not UTF-8 or do not fit. */
size_t json_text_put_string(unsigned char *out, size_t room, const char *text, size_t n);

/* Writes a time in UTC with microseconds (RFC 3339). False if its year has not four digits. */
bool json_text_put_time(unsigned char out[static JSON_TEXT_TIME], const struct timespec *time);

#endif
