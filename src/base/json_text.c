/* Pieces of JSON; see json_text.h. */
#include "base/json_text.h"

#include <string.h>

size_t
json_text_sequence(const unsigned char *bytes, size_t n, size_t *valid)
{
	/* Unicode, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF. */
	unsigned char lead = bytes[0];
	*valid = 1;
	if (lead < 0x80)
		return 1;
	size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	*valid = size > 0;
	while (*valid < size && *valid < n && bytes[*valid] >= low && bytes[*valid] <= high) {
		++*valid;
		low = 0x80;
		high = 0xbf;
	}
	return size;
}

size_t
json_text_put_ascii(unsigned char out[static JSON_TEXT_EXPANSION], unsigned char byte)
{
	static const char controls[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	if (byte >= 0x20 && byte != '"' && byte != '\\') {
		out[0] = byte;
		return 1;
	}
	const char *control = byte != '\0' ? strchr(controls, byte) : NULL;
	out[0] = '\\';
	if (control != NULL) {
		out[1] = (unsigned char)letters[control - controls];
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = (unsigned char)('0' + (byte >> 4));
	out[5] = (unsigned char)"0123456789ABCDEF"[byte & 0xf];
	return 6;
}

size_t
json_text_put_string(unsigned char *out, size_t room, const char *text, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t put = 0;
	if (room < 2)
		return 0;
	out[put++] = '"';
	for (size_t i = 0, valid; i < n; i += valid) {
		unsigned char ascii[JSON_TEXT_EXPANSION];
		size_t size = json_text_sequence(bytes + i, n - i, &valid);
		const unsigned char *from = bytes + i;
		if (size == 0 || valid < size)
			return 0;
		if (size == 1) {
			size = json_text_put_ascii(ascii, bytes[i]);
			from = ascii;
		}
		if (size >= room - put)
			return 0;
		memcpy(out + put, from, size);
		put += size;
	}
	out[put] = '"';
	return put + 1;
}

/* Writes a value with leading zeros, and the character `behind`. Returns what follows. */
static unsigned char *
json_text_put_digits(unsigned char *out, size_t digits, long value, char behind)
{
	for (size_t i = digits; i > 0; i--, value /= 10)
		out[i - 1] = (unsigned char)('0' + value % 10);
	out[digits] = (unsigned char)behind;
	return out + digits + 1;
}

bool
json_text_put_time(unsigned char out[static JSON_TEXT_TIME], const struct timespec *time)
{
	struct tm utc;
	if (gmtime_r(&time->tv_sec, &utc) == NULL || utc.tm_year < -1900 || utc.tm_year > 8099)
		return false;
	unsigned char *at = json_text_put_digits(out, 4, utc.tm_year + 1900L, '-');
	at = json_text_put_digits(at, 2, utc.tm_mon + 1L, '-');
	at = json_text_put_digits(at, 2, utc.tm_mday, 'T');
	at = json_text_put_digits(at, 2, utc.tm_hour, ':');
	at = json_text_put_digits(at, 2, utc.tm_min, ':');
	at = json_text_put_digits(at, 2, utc.tm_sec, '.');
	(void)json_text_put_digits(at, 6, time->tv_nsec / 1000, 'Z');
	return true;
}
